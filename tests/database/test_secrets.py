"""Secrets at rest, and the file of keys they are sealed with."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from baseplane.database.secrets import Keyring
from baseplane.errors import Unavailable

OLD, NEW = os.urandom(32), os.urandom(32)
PURPOSE = "projects.password:abc"


def test_what_is_sealed_opens_for_the_same_purpose() -> None:
    keyring = Keyring([OLD])
    assert keyring.open(keyring.seal("pä$$word", PURPOSE), PURPOSE) == "pä$$word"


def test_the_same_secret_is_never_sealed_the_same_way_twice() -> None:
    keyring = Keyring([OLD])
    assert keyring.seal("secret", PURPOSE) != keyring.seal("secret", PURPOSE)


def test_after_a_rotation_old_secrets_open_and_new_ones_take_the_new_key() -> None:
    sealed = Keyring([OLD]).seal("secret", PURPOSE)
    rotated = Keyring([NEW, OLD])
    assert rotated.open(sealed, PURPOSE) == "secret"
    assert Keyring([NEW]).open(rotated.seal("secret", PURPOSE), PURPOSE) == "secret"


def test_a_key_that_was_dropped_is_named() -> None:
    sealed = Keyring([OLD]).seal("secret", PURPOSE)
    with pytest.raises(Unavailable, match=sealed[1:9].hex()):
        Keyring([NEW]).open(sealed, PURPOSE)


def test_a_secret_that_was_moved_to_another_place_does_not_open() -> None:
    keyring = Keyring([OLD])
    with pytest.raises(Unavailable, match="damaged or moved"):
        keyring.open(keyring.seal("secret", PURPOSE), "projects.password:xyz")


def test_a_secret_with_any_byte_changed_does_not_open() -> None:
    keyring = Keyring([OLD])
    sealed = keyring.seal("secret", PURPOSE)
    for at in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[at] ^= 1
        with pytest.raises(Unavailable):
            keyring.open(bytes(damaged), PURPOSE)


def test_a_secret_that_was_cut_short_does_not_open() -> None:
    keyring = Keyring([OLD])
    sealed = keyring.seal("secret", PURPOSE)
    for length in range(len(sealed)):
        with pytest.raises(Unavailable):
            keyring.open(sealed[:length], PURPOSE)


def test_the_key_file_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    file = tmp_path / "platform.key"
    sealed = Keyring.at(file).seal("secret", PURPOSE)
    assert file.stat().st_mode & 0o777 == 0o600
    assert Keyring.at(file).open(sealed, PURPOSE) == "secret"


MAKE = """
import sys
from pathlib import Path
from baseplane.database.secrets import Keyring
sys.stdin.readline()
print(Keyring.at(Path(sys.argv[1])).seal("secret", sys.argv[2]).hex())
"""


def test_processes_that_make_the_key_file_at_the_same_time_get_the_same_key(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MAKE, tmp_path / "platform.key", PURPOSE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    sealed = [process.communicate(timeout=30)[0] for process in processes]
    keyring = Keyring.at(tmp_path / "platform.key")
    assert [keyring.open(bytes.fromhex(text), PURPOSE) for text in sealed] == ["secret", "secret"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("not base64!", "not base64"), (base64.b64encode(b"short").decode(), "32 bytes"), ("\n", "no platform key")],
)
def test_a_wrong_key_file_is_refused_with_what_is_wrong(text: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "platform.key"
    file.write_text(text)
    with pytest.raises(Unavailable, match=complaint):
        Keyring.at(file)
