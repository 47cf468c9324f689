"""A system user for each project: numbers without names, given out once and remembered in a file."""

import fcntl
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from baseplane.drivers.cluster import DriverUnavailable

COUNT = 65_536
"""How many users one installation takes."""
_FROM, _TO = 1_900_000_000, 2_140_000_000
"""Left free by distributions and by systemd (its UIDS-GIDS page)."""


@dataclass(frozen=True, slots=True)
class User:
    uid: int
    gid: int


class Users:
    """``first`` is the first number of the range; 0 chooses one by the data directory. Only root has users to give:
    to everybody else each answer is None, which means ourselves.
    """

    def __init__(self, file: Path, first: int) -> None:
        self._file = file
        self._first = first or _first_of(file)
        self._root = os.geteuid() == 0
        self._known: dict[str, int] = {}

    @property
    def fetcher(self) -> User | None:
        """Who fetches what functions import: not their own users, for it can read how the machine logs in there."""
        return User(self._first, self._first) if self._root else None

    def of(self, ref: str) -> User | None:
        """Raises DriverUnavailable."""
        if not self._root:
            return None
        if ref not in self._known:
            self._known[ref] = self._remember(ref)
        return User(self._known[ref], self._known[ref])

    def _remember(self, ref: str) -> int:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            given: dict[str, int] = json.loads(self._file.read_text()) if self._file.exists() else {}
            if ref in given:
                return given[ref]
            uid = max(given.values(), default=self._first) + 1
            if uid >= self._first + COUNT or not _is_mapped(uid):
                raise DriverUnavailable(
                    f"The user {uid}, for functions, is past the {COUNT} from {self._first} on or not mapped in this"
                    " container; name another range in BASEPLANE_FUNCTIONS_UID."
                )
            fresh = self._file.with_suffix(".new")
            with fresh.open("w") as file:
                file.write(json.dumps({**given, ref: uid}))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._file)
            return uid


def _is_mapped(uid: int) -> bool:
    """Containers may know few users (user_namespaces(7))."""
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
    except OSError:
        return True
    ranges = [(int(first), int(count)) for first, _, count in map(str.split, lines)]
    return any(first <= uid < first + count for first, count in ranges)


def _first_of(file: Path) -> int:
    number = int.from_bytes(hashlib.sha256(str(file).encode()).digest()[:8], "big")
    return _FROM + number % ((_TO - _FROM) // COUNT) * COUNT
