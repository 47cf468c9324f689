"""Who a process is and what it may, settled between fork and exec."""

import os
import resource
from dataclasses import dataclass

from baseplane.drivers.functions import cgroups, kernel
from baseplane.drivers.functions.users import User

_ROOMS_OF_DENO = tuple((path, kernel.READ | kernel.EXECUTE) for path in ("/lib", "/lib64", "/usr/lib", "/usr/lib64"))
_NAMES = ("resolv.conf", "hosts", "nsswitch.conf", "host.conf", "gai.conf", "localtime", "ld.so.cache", "ssl")
_OF_THE_MACHINE = (
    *((f"/etc/{name}", kernel.READ) for name in _NAMES),
    *((path, kernel.READ) for path in ("/run/systemd/resolve", "/usr/share/zoneinfo", "/dev/urandom", "/dev/random")),
    ("/dev/null", kernel.READ | kernel.WRITE_FILE),
)
EVERYTHING = 0xFFFF
_THREADS_OF_A_USER = 1024
"""Deno takes a dozen for each process, every Worker of a function one or two more."""
_OPEN_FILES = 1024
_DENO = 4 * 1024 * 1024 * 1024
"""Bytes that may be asked for and not used, as Deno does: a last wall behind who counts those that are used."""


def missing_walls() -> list[str]:
    """What this machine does not put between functions and the rest, in words for its operator."""
    walls = {
        "users of their own (for that, Baseplane must run as root)": os.geteuid() == 0,
        "Landlock (Linux 5.13 and newer)": kernel.landlock_abi() > 0,
        "seccomp (Linux on x86-64 or ARM)": kernel.sealed_calls() is not None,
        "a memory cgroup that we may write to": cgroups.find_parent() is not None,
    }
    return [wall for wall, stands in walls.items() if not stands]


@dataclass(frozen=True, slots=True)
class Confinement:
    """``files`` is what there is beside the machine's own: paths, and what may be done below them. ``file_size`` and
    ``memory`` are in bytes, the latter a ceiling far above what Deno takes; ``cpu`` is in seconds, for all of its life. ``sealed`` takes system calls away, and with them all ways to start a process. Whatever the
    kernel does not know is left out: Landlock for the files, seccomp for the calls.
    """

    user: User | None
    files: tuple[tuple[str, int], ...]
    file_size: int
    memory: int
    sealed: bool
    cpu: int = resource.RLIM_INFINITY
    parent: int = 0

    def apply(self) -> None:
        """In the child. Says on standard error what did not work, and ends the process."""
        try:
            self._enter()
        except BaseException as error:  # noqa: BLE001 -- nothing may go on from here
            os.write(2, f"error: this process could not be confined: {error}\n".encode())
            os._exit(126)

    def _enter(self) -> None:
        os.umask(0o022)
        for what, most in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, self.file_size),
            (resource.RLIMIT_NOFILE, _OPEN_FILES),
            (resource.RLIMIT_DATA, _DENO + self.memory),
            (resource.RLIMIT_CPU, self.cpu),
        ):
            resource.setrlimit(what, (most, most))
        if self.user is not None:
            resource.setrlimit(resource.RLIMIT_NPROC, (_THREADS_OF_A_USER, _THREADS_OF_A_USER))
            os.setgroups([])
            os.setresgid(self.user.gid, self.user.gid, self.user.gid)
            os.setresuid(self.user.uid, self.user.uid, self.user.uid)
        kernel.no_new_privileges()
        kernel.die_with_parent(self.parent)
        if kernel.landlock_abi():
            kernel.seal_files((*_ROOMS_OF_DENO, *_OF_THE_MACHINE, *self.files))
        program = kernel.sealed_calls() if self.sealed else None
        if program is not None:
            kernel.seal_calls(program)
