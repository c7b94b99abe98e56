"""One checked file: its article and report, or why it couldn't be checked."""

from dataclasses import dataclass

from agent.article import Article
from agent.errors import CopydeskError
from agent.guideline import GuidelinePack
from agent.report import ComplianceReport, ReportStatus


@dataclass(frozen=True, slots=True)
class Checked:
    """A file with its report."""

    name: str  # as the user named it
    article: Article
    report: ComplianceReport
    pack: GuidelinePack

    def passes(self, fail_under: float) -> bool:
        """No breach, something was checked, and a score of at least `fail_under`."""
        if self.report.status is ReportStatus.FAILED or self.report.score is None:
            return False
        return not self.report.has_breach and self.report.score.value >= fail_under


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that couldn't be checked."""

    name: str
    error: CopydeskError


Sheet = Checked | Unreadable
