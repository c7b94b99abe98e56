"""A job's run in MLflow, in one go."""

from registry.connection import Registry
from registry.runs import ProductionRun, begin_production_run, complete_production_run


def log_production_run(registry: Registry, record: ProductionRun) -> str:
    """Logs it, or finishes what an earlier attempt began; returns the run id."""
    run_id = begin_production_run(registry, record)
    complete_production_run(registry, run_id, record)
    return run_id
