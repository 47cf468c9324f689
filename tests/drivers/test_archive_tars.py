"""Tars that go by: what tarfile writes is taken apart and unpacked, and what is none, or would lie elsewhere, is refused."""

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from baseplane.drivers.archive.tars import NoTar, Passing, unpack

LARGE = os.urandom(3_000_001)
FILES = {"PG_VERSION": b"17\n", "base/1/empty": b"", "base/1/large": LARGE, "base/1/block": b"x" * 512}


def entry(name: str, kind: bytes, size: int = 0, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info


def tar(*more: tarfile.TarInfo) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for directory in ("base", "base/1", "pg_wal"):
            archive.addfile(entry(directory, tarfile.DIRTYPE))
        for name, content in FILES.items():
            archive.addfile(entry(name, tarfile.REGTYPE, len(content)), io.BytesIO(content))
        for each in more:
            archive.addfile(each)
    return written.getvalue()


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [509, 512, 65536, 10**7])
def test_what_is_unpacked_is_what_was_packed_for_its_owner_alone(size: int, tmp_path: Path) -> None:
    unpack(pieces(tar(), size), tmp_path)
    found = {str(path.relative_to(tmp_path)): path for path in tmp_path.rglob("*")}
    assert {name: path.read_bytes() for name, path in found.items() if path.is_file()} == FILES
    assert {name for name, path in found.items() if path.is_dir()} == {"base", "base/1", "pg_wal"}
    assert {path.stat().st_mode & 0o777 for path in found.values()} == {0o600, 0o700}


@pytest.mark.parametrize(
    "more",
    [
        entry("../outside", tarfile.REGTYPE),
        entry("base/../../outside", tarfile.REGTYPE),
        entry("/outside", tarfile.REGTYPE),
        entry("base/link", tarfile.SYMTYPE, link="/etc"),
        entry("base/link", tarfile.LNKTYPE, link="PG_VERSION"),
        entry("base/device", tarfile.CHRTYPE),
        entry("PG_VERSION", tarfile.REGTYPE),
        entry("PG_VERSION/below", tarfile.REGTYPE),
    ],
)
def test_what_is_no_file_of_a_backup_is_refused(more: tarfile.TarInfo, tmp_path: Path) -> None:
    with pytest.raises(NoTar):
        unpack([tar(more)], tmp_path / "into")
    assert [path.name for path in tmp_path.iterdir()] == ["into"]


@pytest.mark.parametrize("length", [0, 100, 512 * 4 + 100, 512 * 5, 512 * 6])
def test_a_tar_without_its_end_is_refused(length: int, tmp_path: Path) -> None:
    with pytest.raises(NoTar, match="end is missing"):
        unpack([tar()[:length]], tmp_path)


def test_what_is_no_tar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoTar, match="no header"):
        unpack([b"\xee" * 2048], tmp_path)


def test_a_file_of_more_than_8_gigabytes_has_its_length_understood() -> None:
    passing, header = Passing("other"), entry("huge", tarfile.REGTYPE, 9 * 1024**3)
    list(passing.watch([header.tobuf(tarfile.GNU_FORMAT)]))
    assert passing.size == 9 * 1024**3


def test_one_file_is_picked_out_of_what_goes_by() -> None:
    passing = Passing("base/1/large")
    assert b"".join(passing.watch(pieces(tar(), 1000))) == tar()
    assert passing.found == LARGE
    assert passing.size == sum(map(len, FILES.values()))
