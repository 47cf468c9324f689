"""What Linux takes away from a process before it runs a function: system calls by seccomp, files by Landlock.

Called between fork and exec, hence all there is to prepare is prepared beforehand and the rest is plain system calls.
Numbers and layouts: seccomp(2), landlock(7), and the kernel's uapi headers.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable
from functools import cache

_libc = ctypes.CDLL(None, use_errno=True)

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_FILTER = 1, 38, 22, 2
_ALLOW, _KILL, _FAIL = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
_AF_UNIX, _AF_INET, _CLONE_THREAD = 1, 2, 0x1_0000

# The architecture's audit number, then system calls by number.
_MACHINES: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (
        0xC000_003E,
        {
            "socket": 41, "clone": 56, "fork": 57, "vfork": 58, "ptrace": 101, "mkdir": 83, "link": 86, "symlink": 88,
            "mknod": 133, "pivot_root": 155, "mount": 165, "umount2": 166, "kexec_load": 246, "add_key": 248,
            "request_key": 249, "keyctl": 250, "mkdirat": 258, "mknodat": 259, "linkat": 265, "symlinkat": 266,
            "unshare": 272, "perf_event_open": 298, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311,
            "bpf": 321, "userfaultfd": 323,
        },
    ),
    "aarch64": (
        0xC000_00B7,
        {
            "socket": 198, "clone": 220, "ptrace": 117, "mknodat": 33, "mkdirat": 34, "symlinkat": 36, "linkat": 37,
            "umount2": 39, "mount": 40, "pivot_root": 41, "unshare": 97, "kexec_load": 104, "add_key": 217,
            "request_key": 218, "keyctl": 219, "perf_event_open": 241, "setns": 268, "process_vm_readv": 270,
            "process_vm_writev": 271, "bpf": 280, "userfaultfd": 282,
        },
    ),
}  # fmt: skip
_EVERYWHERE = {"io_uring_setup": 425, "pidfd_getfd": 438}
_CLONE3 = 435

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF, _PATH_BENEATH = 444, 445, 446, 1
_FILES_BY_ABI = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
_BIND_TCP = 1
_SCOPED = 3  # signals, and sockets with abstract names, stay among ourselves
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, MAKE_SOCK = 1, 2, 4, 8, 1 << 9
READ = READ_FILE | READ_DIR
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | 1 << 14 | 1 << 15


def die_with_parent(parent: int) -> None:
    """The kernel kills this process when the thread that forked it ends. Forgotten when the user changes."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0))
    if os.getppid() != parent:
        os._exit(125)


def no_new_privileges() -> None:
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


@cache
def sealed_calls() -> "ctypes.Array[ctypes.c_char] | None":
    """A filter: threads but no processes, sockets of IPv4 and Unix alone, nothing that makes names in the file system,
    looks into others or changes what is mounted. None where the machine's numbers are not known here.
    """
    if platform.system() != "Linux" or platform.machine() not in _MACHINES:
        return None
    architecture, calls = _MACHINES[platform.machine()]
    eperm, enosys, no_family = _FAIL | errno.EPERM, _FAIL | errno.ENOSYS, _FAIL | errno.EAFNOSUPPORT
    denied = [n for name, n in {**calls, **_EVERYWHERE}.items() if name not in ("socket", "clone")]
    program = [
        _load(4), _jump(architecture, 1, 0), _give(_KILL),
        _load(0), (0x35, 0, 1, 0x4000_0000), _give(enosys),  # x32
        _jump(_CLONE3, 0, 1), _give(enosys),  # its flags cannot be seen; glibc then takes clone
    ]  # fmt: skip
    for number in denied:
        program += [_jump(number, 0, 1), _give(eperm)]
    program += [
        _jump(calls["clone"], 0, 4), _load(16), (0x45, 1, 0, _CLONE_THREAD), _give(eperm), _give(_ALLOW),
        _jump(calls["socket"], 0, 5), _load(16), _jump(_AF_UNIX, 2, 0), _jump(_AF_INET, 1, 0), _give(no_family),
        _give(_ALLOW), _give(_ALLOW),
    ]  # fmt: skip
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    filled = ctypes.create_string_buffer(code, len(code))
    return _keep(ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program), ctypes.addressof(filled))), filled)


def seal_calls(program: "ctypes.Array[ctypes.c_char]") -> None:
    """For good, and for all that comes from this process."""
    _check(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_FILTER, program, 0, 0))


@cache
def landlock_abi() -> int:
    """0 where there is none."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, 0, 1))) if platform.system() == "Linux" else 0


def seal_files(allowed: Iterable[tuple[str, int]]) -> None:
    """Leave this process ``allowed`` alone: a path, and what may be done there and below. Missing paths are passed over."""
    abi = landlock_abi()
    handled = _FILES_BY_ABI[min(abi, 5)]
    attributes = struct.pack("QQQ", handled, _BIND_TCP if abi >= 4 else 0, _SCOPED if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = _check(_libc.syscall(_CREATE_RULESET, attributes, size, 0))
    for path, access in allowed:
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        kept = access if os.path.isdir(path) else access & _OF_FILES  # noqa: PTH112 -- between fork and exec
        rule = struct.pack("=Qi", kept & handled, opened)
        _check(_libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))
        os.close(opened)
    _check(_libc.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _load(offset: int) -> tuple[int, int, int, int]:
    return (0x20, 0, 0, offset)


def _jump(equal_to: int, yes: int, no: int) -> tuple[int, int, int, int]:
    return (0x15, yes, no, equal_to)


def _give(verdict: int) -> tuple[int, int, int, int]:
    return (0x06, 0, 0, verdict)


_kept: list[object] = []


def _keep(program: "ctypes.Array[ctypes.c_char]", filled: object) -> "ctypes.Array[ctypes.c_char]":
    """The program points at the instructions, so these live as long."""
    _kept.append(filled)
    return program


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
