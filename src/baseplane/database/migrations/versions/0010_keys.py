"""API keys, signing keys, third-party issuers and secrets of projects."""

from pathlib import Path

from baseplane.database.migrations import run_sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_sql(Path(__file__).with_suffix(".sql").read_text())
