"""Who functions run as, and where they lie."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from baseplane.drivers.cluster import DriverUnavailable
from baseplane.drivers.functions import program, sandbox, users
from baseplane.drivers.functions.users import Users

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives users")


@as_root
def test_each_project_has_a_user_and_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "users.json"
    first = Users(file, 1_000_000)
    one, other = first.of("one"), first.of("other")
    assert one is not None
    assert other is not None
    assert len({one.uid, other.uid, first.fetcher and first.fetcher.uid}) == 3
    assert Users(file, 1_000_000).of("one") == one


@as_root
def test_users_are_given_once_though_many_ask(tmp_path: Path) -> None:
    file = tmp_path / "users.json"
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda number: Users(file, 1_000_000).of(f"ref{number % 10}"), range(80)))
    assert len({user.uid for user in given if user}) == 10
    assert len(json.loads(file.read_text())) == 10


@as_root
def test_a_range_that_is_used_up_says_which_setting_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "COUNT", 2)
    few = Users(tmp_path / "users.json", 1_000_000)
    few.of("one")
    with pytest.raises(DriverUnavailable, match=r"BASEPLANE_FUNCTIONS_UID"):
        few.of("two")


@as_root
def test_a_user_that_the_container_does_not_know_is_not_given(tmp_path: Path) -> None:
    with pytest.raises(DriverUnavailable, match=r"not mapped"):
        Users(tmp_path / "users.json", 2**32 - 2).of("one")


def test_installations_take_ranges_of_their_own() -> None:
    firsts = {Users(Path(f"/data{number}/users.json"), 0)._first for number in range(20)}
    assert len(firsts) == 20
    assert all(1_900_000_000 <= first < 2_140_000_000 for first in firsts)


@as_root
def test_a_data_directory_that_they_may_not_enter_is_named(data_dir: Path) -> None:
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    program.check_reach(closed)
    with pytest.raises(DriverUnavailable, match=r"may not enter .*closed"):
        program.check_reach(closed / "functions")


def test_public_addresses_of_this_machine_are_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    nic = psutil.net_if_addrs()["lo"][0]
    found = {"a": [nic._replace(address="8.8.4.4")], "b": [nic._replace(address="10.1.2.3")]}
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: found)
    assert sandbox._own_addresses() == {"8.8.4.4"}
