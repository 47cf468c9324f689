"""What is kept in the archive beside the clusters: whole, encrypted, and checked by its name."""

import hashlib
import os
from pathlib import Path

import pytest

from baseplane.database.secrets import Keyring
from baseplane.drivers.archive import BackupDamaged
from baseplane.drivers.archive.files import StoredFiles
from baseplane.drivers.archive.stores import ObjectStore

DATA = b"a source with a secret of mine" * 100_000
NAME = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def keyring() -> Keyring:
    return Keyring([os.urandom(32)])


@pytest.fixture
def kept(tmp_path: Path, keyring: Keyring) -> StoredFiles:
    return StoredFiles(ObjectStore(str(tmp_path)), keyring, keyring)


def objects(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_a_file_is_encrypted_and_comes_back_by_its_digest(kept: StoredFiles, tmp_path: Path) -> None:
    await kept.put("shop", "functions", DATA)
    await kept.put("shop", "functions", DATA)
    (found,) = objects(tmp_path)
    assert found.relative_to(tmp_path) == Path(f"shop/files/functions/{NAME}.zst.aes")
    assert DATA[:30] not in found.read_bytes()
    assert await kept.get("shop", "functions", NAME) == DATA
    await kept.delete("shop", "functions", [NAME, "0" * 64])
    assert objects(tmp_path) == []
    with pytest.raises(BackupDamaged, match=f"shop/files/functions/{NAME} is missing"):
        await kept.get("shop", "functions", NAME)


async def test_what_was_put_before_encryption_was_turned_on_is_read_and_deleted(
    kept: StoredFiles, tmp_path: Path, keyring: Keyring
) -> None:
    await StoredFiles(ObjectStore(str(tmp_path)), keyring, None).put("shop", "functions", DATA)
    (found,) = objects(tmp_path)
    assert found.name == f"{NAME}.zst"
    assert await kept.get("shop", "functions", NAME) == DATA
    await kept.delete("shop", "functions", [NAME])
    assert objects(tmp_path) == []


@pytest.mark.parametrize("at", [10, 200, -1], ids=["key", "contents", "end"])
async def test_a_damaged_file_is_not_given(kept: StoredFiles, tmp_path: Path, at: int) -> None:
    await kept.put("shop", "functions", DATA)
    (found,) = objects(tmp_path)
    content = bytearray(found.read_bytes())
    content[at] ^= 1
    found.write_bytes(content)
    with pytest.raises(BackupDamaged, match=NAME):
        await kept.get("shop", "functions", NAME)


async def test_a_file_in_the_place_of_another_is_not_given(kept: StoredFiles, tmp_path: Path, keyring: Keyring) -> None:
    plain = StoredFiles(ObjectStore(str(tmp_path)), keyring, None)
    await plain.put("shop", "functions", DATA)
    await plain.put("shop", "functions", b"other")
    (tmp_path / f"shop/files/functions/{hashlib.sha256(b'other').hexdigest()}.zst").rename(
        tmp_path / f"shop/files/functions/{NAME}.zst"
    )
    with pytest.raises(BackupDamaged, match="SHA-256"):
        await kept.get("shop", "functions", NAME)


async def test_a_file_whose_key_is_not_in_the_keyring_is_told_and_not_tried_for_hours(
    kept: StoredFiles, tmp_path: Path
) -> None:
    await kept.put("shop", "functions", DATA)
    stranger = Keyring([os.urandom(32)])
    with pytest.raises(BackupDamaged, match=r"not in platform\.key"):
        await StoredFiles(ObjectStore(str(tmp_path)), stranger, stranger).get("shop", "functions", NAME)
