"""What the kernel takes from a process, shown on Python, which has no permissions of its own to ask."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from baseplane.drivers.functions import kernel

pytestmark = pytest.mark.skipif(kernel.sealed_calls() is None, reason="no filter for this machine")

CALLS = {
    "fork": "os.fork()",
    "vfork": "import subprocess; subprocess.run(['/bin/true'])",
    "IPv6": "socket.socket(socket.AF_INET6)",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "packets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "a virtual machine's host": "socket.socket(socket.AF_VSOCK)",
    "a folder": "os.mkdir('/tmp/never-made')",
    "a link": "os.symlink('a', '/tmp/never-made')",
    "a second name": "os.link('/etc/hosts', '/tmp/never-made')",
    "a pipe with a name": "os.mkfifo('/tmp/never-made')",
    "a namespace": "call('unshare', 0x10000000)",
    "another's memory": "call('ptrace', 16, os.getppid(), 0, 0)",
}
FILES = {
    "reading": "open('/etc/passwd').read()",
    "listing": "os.listdir('/')",
    "another process": "open(f'/proc/{os.getppid()}/cmdline').read()",
    "writing": "open('/tmp/never-made', 'w')",
    "running": "os.execv('/bin/true', ['true'])",
}


def _seal_calls() -> None:
    kernel.no_new_privileges()
    program = kernel.sealed_calls()
    assert program is not None
    kernel.seal_calls(program)


def _seal_files() -> None:
    kernel.no_new_privileges()
    ours = {sys.prefix, sys.base_prefix, *sys.path, str(Path(kernel.__file__).parents[3])}
    places = [path for path in ours if path] + ["/lib", "/lib64", "/usr/lib", "/usr/local/lib"]
    kernel.seal_files([(path, kernel.READ | kernel.EXECUTE) for path in places])


PROGRAM = """
import ctypes, os, socket
def call(name, *arguments):
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)
try:
    {code}
except OSError as error:
    os._exit(error.errno)
os._exit(0)
"""


def _errno(code: str, seal: Callable[[], None]) -> int:
    """With which the code fails; 0 when it does not."""
    program = PROGRAM.format(code=code)
    return subprocess.run([sys.executable, "-c", program], check=False, preexec_fn=seal, capture_output=True).returncode


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_taken_away(name: str) -> None:
    assert _errno(CALLS[name], _seal_calls) in (errno.EPERM, errno.EAFNOSUPPORT)


@pytest.mark.parametrize(
    "code",
    ["import threading; t = threading.Thread(target=print); t.start(); t.join()", "socket.socket()"],
)
def test_threads_and_sockets_are_left(code: str) -> None:
    assert _errno(code, _seal_calls) == 0


@pytest.mark.skipif(not kernel.landlock_abi(), reason="this kernel has no Landlock")
@pytest.mark.parametrize("name", FILES)
def test_a_file_is_taken_away(name: str) -> None:
    assert _errno(FILES[name], _seal_files) == errno.EACCES


@pytest.mark.skipif(not kernel.landlock_abi(), reason="this kernel has no Landlock")
def test_files_that_are_allowed_are_left() -> None:
    assert _errno(f"os.listdir({str(Path(os.__file__).parent)!r})", _seal_files) == 0


def test_a_process_dies_with_its_parent() -> None:
    code = """
import os, sys, subprocess, time
from baseplane.drivers.functions import kernel
us = os.getpid()
child = subprocess.Popen(["sleep", "60"], preexec_fn=lambda: kernel.die_with_parent(us))
print(child.pid, flush=True)
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    pid = int(done.stdout)
    for _ in range(500):
        try:
            if "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]:
                return
            os.sched_yield()
            subprocess.run(["true"], check=True)
        except FileNotFoundError:
            return
    pytest.fail("it still runs")
