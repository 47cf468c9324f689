"""Our own logs: a line of JSON an event, with the request it belongs to."""

import logging
import logging.handlers
import sys
from datetime import UTC, datetime
from pathlib import Path

import orjson

from baseplane.api.requests import REQUEST_ID

KEEP_FILES, FILE_BYTES = 5, 10 * 1024 * 1024
QUIET = ("procrastinate", "alembic", "asyncio", "psycopg.pool", "uvicorn.access")
"""Libraries that say more than operators want to read."""


class Json(logging.Formatter):
    def __init__(self, part: str) -> None:
        super().__init__()
        self.part = part

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "part": self.part,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()


class Rotating(logging.handlers.RotatingFileHandler):
    """Asks how long the file is instead of formatting every line twice to find out; a file may end a line late."""

    def shouldRollover(self, _record: logging.LogRecord) -> bool:  # noqa: N802
        return self.stream is not None and self.stream.tell() >= self.maxBytes


def configure(part: str, level: str, file: Path | None = None) -> None:
    """Log to ``file``, which rotates, or to standard error."""
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if file is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = Rotating(file, maxBytes=FILE_BYTES, backupCount=KEEP_FILES)
    handler.setFormatter(Json(part))
    logging._srcfile = None  # noqa: SLF001 -- how the logging cookbook says: look for no caller
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
