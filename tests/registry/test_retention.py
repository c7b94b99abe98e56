from datetime import timedelta

from registry.connection import Registry
from registry.retention import FORGOTTEN, forget_articles
from registry.runs import experiment_name
from tests.registry.logged import log_production_run
from tests.registry.test_runs import STARTED, record

LATER = STARTED + timedelta(days=180)


def names(registry: Registry, run_id: str) -> list[str]:
    return [artifact.path for artifact in registry.client.list_artifacts(run_id)]


def test_the_text_of_old_runs_goes_and_their_figures_stay(registry: Registry) -> None:
    old = log_production_run(registry, record("gone", document_id="", title="A title", recording=b"x"))
    before = registry.client.get_run(old)
    assert (sorted(names(registry, old)), before.info.run_name) == (["recording.json.gz", "report.json"], "A title")
    assert forget_articles(registry, LATER) >= 1
    run = registry.client.get_run(old)
    assert (names(registry, old), run.info.run_name, "title" in run.data.tags) == ([], "gone", False)
    assert (run.data.metrics, run.data.params) == (before.data.metrics, before.data.params)
    assert forget_articles(registry, LATER) == 0


def test_younger_runs_of_the_same_month_keep_theirs(registry: Registry) -> None:
    days = [
        record(f"day-{day}", **{at: getattr(record(), at) - timedelta(days=200 + day) for at in TIMES})
        for day in (2, 0)
    ]
    old, young = (log_production_run(registry, each) for each in days)
    cut = STARTED - timedelta(days=201)
    assert forget_articles(registry, cut, dry_run=True) == 1
    assert names(registry, old) == ["report.json"]
    assert forget_articles(registry, cut) == 1
    assert (names(registry, old), names(registry, young)) == ([], ["report.json"])


def test_a_month_that_is_over_is_not_read_again(registry: Registry) -> None:
    long_ago = record("first", **{at: getattr(record(), at) - timedelta(days=900) for at in TIMES})
    log_production_run(registry, long_ago)
    forget_articles(registry, STARTED - timedelta(days=800))
    experiment = registry.client.get_experiment_by_name(experiment_name(registry, long_ago.finished))
    assert experiment
    assert experiment.tags[FORGOTTEN] == "true"


TIMES = ("submitted", "started", "finished")
