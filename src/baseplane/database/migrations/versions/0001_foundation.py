"""People, organizations, projects, runs, and procrastinate's tables."""

from pathlib import Path

import procrastinate.schema
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(procrastinate.schema.SchemaManager.get_schema())
    connection.exec_driver_sql(Path(__file__).with_suffix(".sql").read_text())
