"""How a project's transaction pooler is set."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
