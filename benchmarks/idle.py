"""What a project costs while nobody uses it: proportional memory of its processes, and disk."""

import time
from pathlib import Path

import psutil

from benchmarks.figures import Figure
from benchmarks.installation import Installation

SETTLE_WITHIN = 45  # seconds; kept connections are closed after twenty


def idle(installation: Installation, counts: tuple[int, ...]) -> list[Figure]:
    refs: list[str] = []
    figures = []
    for count in counts:
        while len(refs) < count:
            refs.append(installation.create(f"idle-{len(refs)}"))
            installation.await_status(refs[-1], "ACTIVE_HEALTHY")
        homes = [installation.data_dir / "clusters" / ref for ref in refs]
        settle(homes)
        memory = sum(pss(process) for home in homes for process in processes(home)) / count / 1e6
        disk = sum(_disk(home) for home in homes) / count / 1e6
        figures += [
            Figure(f"memory (PSS) per idle project, {count} projects", memory, "MB", 20),
            Figure(f"disk per idle project, {count} projects", disk, "MB", 40),
        ]
    own = psutil.Process(installation.facts["pid"])
    parts = [own, *(child for child in own.children() if "baseplane" in " ".join(child.cmdline()))]
    figures.append(
        Figure("memory (PSS) of Baseplane's own processes", sum(map(pss, parts)) / 1e6, "MB", None, "in all")
    )
    return figures


def processes(home: Path) -> list[psutil.Process]:
    postmaster = psutil.Process(int((home / "data" / "postmaster.pid").read_text().split()[0]))
    return [postmaster, *postmaster.children()]


def settle(homes: list[Path]) -> None:
    """Wait until no cluster serves anybody."""
    deadline = time.monotonic() + SETTLE_WITHIN
    while time.monotonic() < deadline:
        titles = [" ".join(process.cmdline()) for home in homes for process in processes(home)]
        if not any("[local]" in title for title in titles):
            return
        time.sleep(0.5)


def pss(process: psutil.Process) -> int:
    lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _disk(home: Path) -> int:
    return sum(file.stat().st_blocks * 512 for file in home.rglob("*") if not file.is_symlink())
