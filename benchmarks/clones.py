"""How long it takes to make a project from the backups of another, by the command that people type."""

import secrets
import subprocess
import sys
import time

from benchmarks.backups import Tenant, await_true
from benchmarks.figures import Figure, quantile
from benchmarks.installation import Installation


def clones(installation: Installation, gigabytes: float, times: int) -> list[Figure]:
    """Of a project with nothing in it, and of one of this size, as they are now."""
    empty = _source(installation, "empty", 0)
    large = _source(installation, "large", gigabytes)
    return [*_clone(empty, "an empty project", times, 2), *_clone(large, f"{gigabytes:g} GB", 3, 10)]


def _source(installation: Installation, name: str, gigabytes: float) -> Tenant:
    """A project whose newest backup holds what it has."""
    source = Tenant(installation, installation.create(name))
    installation.await_status(source.ref, "ACTIVE_HEALTHY")
    source.ask("create table public.kept as select generate_series(1, 1000) as id")
    complete = "select 1 from backups where project_ref = %s and status = 'COMPLETED'"
    await_true(lambda: source.platform(complete), "the first backup")
    if gigabytes:
        source.fill(gigabytes)
        source.backup("full")
    return source


def _clone(source: Tenant, what: str, times: int, most: float) -> list[Figure]:
    taken, inside, last = [], [], ""
    for _ in range(times):
        began = time.perf_counter()
        last = _command(source)
        taken.append(time.perf_counter() - began)
        copy = Tenant(source.installation, last)
        assert copy.ask("select count(*), sum(id) from public.kept") == (1000, 500500)
        (row,) = copy.platform(
            "select extract(epoch from status_since - created_at)::float8 from projects where ref = %s"
        )
        inside.append(float(str(row[0])))
    steps = Tenant(source.installation, last).platform(
        "select s.name, extract(epoch from s.finished_at - s.started_at)::float8 from runs r"
        " join run_steps s on s.run_id = r.id where r.subject = %s order by s.position"
    )
    where = ", ".join(f"{name} {float(str(seconds)):.2f}" for name, seconds in steps)
    return [
        Figure(f"clone of {what}, p50", quantile(inside, 0.5), "s", most, f"of {times}; {where}"),
        Figure(f"clone of {what}, the command, p50", quantile(taken, 0.5), "s", None, f"slowest {max(taken):.1f}"),
    ]


def _command(source: Tenant) -> str:
    """The ref of the new project, which serves."""
    name = f"clone-{secrets.token_hex(4)}"
    data_dir = str(source.installation.data_dir)
    done = subprocess.run(
        [sys.executable, "-m", "baseplane", "backups", "clone", source.ref, "--name", name, "--data-dir", data_dir],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[0]
