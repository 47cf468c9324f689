"""`baseplane recover` where it must not begin. What it does where it may is in tests/e2e."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from baseplane.cli import main
from baseplane.database.secrets import Keyring
from baseplane.drivers.archive import belongings
from baseplane.drivers.archive.owner import Owner
from baseplane.drivers.archive.stores import ObjectStore


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    monkeypatch.setenv("BASEPLANE_ARCHIVE", str(tmp_path / "archive"))
    return ObjectStore(str(tmp_path / "archive"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty data directory but for the platform key."""
    place = tmp_path / "place"
    place.mkdir()
    Keyring.at(place / "platform.key")
    return place


def recover(place: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["recover", "--data-dir", str(place), *arguments])


def refusal(place: Path, *arguments: str) -> str:
    before = sorted(place.iterdir())
    done = recover(place, *arguments)
    assert done.exit_code == 1
    assert sorted(path for path in place.iterdir() if path.name != "up.lock") == before
    return done.output


@pytest.mark.usefixtures("archive")
def test_a_directory_that_is_not_empty_is_left_alone(place: Path) -> None:
    (place / "clusters").mkdir()
    assert "is not empty: clusters." in refusal(place)


@pytest.mark.usefixtures("archive")
def test_without_a_key_it_says_where_to_put_it(place: Path) -> None:
    (place / "platform.key").unlink()
    assert f"Put the copy of platform.key there first: {place / 'platform.key'}" in refusal(place)


def test_another_key_does_not_open_the_archive(place: Path, archive: ObjectStore) -> None:
    belongings.put(archive, Keyring([os.urandom(32)]), {"access-token": "sbp"})
    assert "The platform key does not open this archive" in refusal(place)


@pytest.mark.usefixtures("archive")
def test_an_empty_archive_is_told(place: Path) -> None:
    assert "is empty." in refusal(place)


def test_a_mistyped_archive_is_not_made(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASEPLANE_ARCHIVE", str(tmp_path / "archvie"))
    assert "There is no archive in" in refusal(place, "--dry-run")
    assert not (tmp_path / "archvie").exists()


def test_archives_of_projects_are_of_no_use_without_the_platforms(place: Path, archive: ObjectStore) -> None:
    Owner(archive, place).hold()
    (place / "installation-id").unlink()
    archive.put(f"{'a' * 20}/first/log/{'0' * 24}", [b""])
    assert "no backup of a platform database, without which those of projects (1 of them)" in refusal(place)


@pytest.mark.parametrize(("moment", "said"), [("yesterday", "is no moment"), ("2999-01-01", "lies in the future")])
def test_a_moment_that_is_none_is_refused(place: Path, moment: str, said: str) -> None:
    assert f"'{moment}' {said}" in recover(place, "--at", moment).output
