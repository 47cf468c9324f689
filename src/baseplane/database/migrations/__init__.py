"""Brings the platform database to the newest revision. Alembic orders the revisions; each is a file of plain SQL."""

import threading
from pathlib import Path

from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory

HERE = Path(__file__).parent
_ALEMBIC = threading.Lock()
"""Alembic keeps its context in globals: one thread at a time."""


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Apply every revision that ``url`` does not have yet, each in a transaction. Safe to call at the same time twice."""
    with _ALEMBIC:
        command.upgrade(_config(url), "head")


def head() -> str:
    """The newest revision's id."""
    return ScriptDirectory.from_config(_config("")).get_current_head() or ""


def run_sql(text: str) -> None:
    """Run a file of SQL in the revision's transaction, as it is: nothing in it is taken for a placeholder."""
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.execute(text)
