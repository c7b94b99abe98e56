"""MLflow without a server: its SQLite file, made whole or not at all."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore


def create_database(database: Path, artifact_root: Path) -> None:
    """Creates MLflow's tables beside `database` and moves the finished file into place.

    Several processes may do this at once, and one may be killed at any time: the first finished
    file stays, the others use it.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    draft = database.with_name(f"{database.name}.{uuid4().hex}.new")
    try:
        store = SqlAlchemyStore(f"sqlite:///{draft.as_posix()}", artifact_root.as_uri())  # type: ignore[no-untyped-call]
        store.engine.dispose()
        with closing(sqlite3.connect(draft)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")  # pages are read while a worker writes
        _move_unless_there(draft, database)
    finally:
        for left in database.parent.glob(f"{draft.name}*"):
            left.unlink(missing_ok=True)


def _move_unless_there(draft: Path, database: Path) -> None:
    try:
        os.link(draft, database)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not database.exists():
            draft.replace(database)
