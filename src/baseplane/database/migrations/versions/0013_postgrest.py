"""How the REST server of a project is set."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
