"""Makes a recorded check again, offline."""

from agent.code_digest import code_digest
from agent.graph import Agent
from agent.recording import Recording, RecordingError, ReplayKeyValues, ReplayModel
from agent.report import ComplianceReport


async def replay(recording: Recording) -> ComplianceReport:
    """The report of the recorded version on the recorded article and answers.

    Raises RecordingError where the recording is of other code or unfinished, or doesn't answer all that is asked.
    """
    if recording.report is None:
        raise RecordingError("this check never ended, so there is nothing to compare with: record another")
    if recording.spec.code != code_digest():
        raise RecordingError(
            f"this check was recorded with agent code {recording.spec.code[:12]}, installed is {code_digest()[:12]}: "
            "install the release it was recorded with"
        )
    model = ReplayModel(recording)
    agent = Agent(
        recording.spec,
        model=model if recording.spec.model else None,
        kept=ReplayKeyValues(recording),
        stamp=recording.report.version,
    )
    report = await agent.check(recording.stored_article, guidelines=recording.guidelines)
    if model.missing or model.left:
        raise RecordingError(
            f"the recording is not whole: {model.missing} questions have no recorded answer, "
            f"and {model.left} recorded answers weren't asked for"
        )
    return report
