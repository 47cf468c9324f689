"""One archive takes one installation."""

from pathlib import Path

import pytest

from baseplane.drivers.archive import ArchiveTaken, ArchiveUnavailable, owner
from baseplane.drivers.archive.owner import Owner
from baseplane.drivers.archive.stores import ObjectStore


@pytest.fixture(autouse=True)
def _always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "BEAT", 0.0)


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(str(tmp_path / "archive"))


def installation(store: ObjectStore, directory: Path) -> Owner:
    directory.mkdir(exist_ok=True)
    return Owner(store, directory)


def test_whoever_lives_signs_anew(store: ObjectStore, tmp_path: Path) -> None:
    ours = installation(store, tmp_path / "ours")
    ours.hold()
    first = owner.read(store)
    ours.hold()
    assert owner.read(store) != first


def test_all_processes_of_a_data_directory_are_one(store: ObjectStore, tmp_path: Path) -> None:
    installation(store, tmp_path / "ours").hold()
    installation(store, tmp_path / "ours").hold()


def test_another_installation_is_refused_and_told_who_has_it(store: ObjectStore, tmp_path: Path) -> None:
    installation(store, tmp_path / "ours").hold()
    with pytest.raises(ArchiveTaken, match=f"belongs to the installation in {tmp_path / 'ours'} on "):
        installation(store, tmp_path / "theirs").hold()


def test_one_that_was_taken_over_from_holds_it_no_more(store: ObjectStore, tmp_path: Path) -> None:
    ours, theirs = installation(store, tmp_path / "ours"), installation(store, tmp_path / "theirs")
    ours.hold()
    theirs.sign()
    with pytest.raises(ArchiveTaken):
        ours.hold()
    theirs.hold()


def test_between_two_signatures_a_refusal_stands(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = installation(store, tmp_path / "ours"), installation(store, tmp_path / "theirs")
    theirs.sign()
    with pytest.raises(ArchiveTaken):
        ours.hold()
    monkeypatch.setattr(owner, "BEAT", 3600.0)
    store.delete([owner.KEY])
    with pytest.raises(ArchiveUnavailable):
        ours.hold()
