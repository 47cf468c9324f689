"""What is said of settings that cannot be."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from baseplane.cli import main


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('listen = "nowhere"', "listen: 'nowhere' is not HOST:PORT, such as 127.0.0.1:8080"),
        ('http_port = "x"', "http_port: Input should be a valid integer"),
        ("listn = 1", "listn: there is no such setting"),
        ("listen =", "settings.toml is not TOML"),
    ],
)
def test_wrong_settings_are_named_with_their_fault(written: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(written)
    done = CliRunner().invoke(main, ["doctor", "--data-dir", str(tmp_path)])
    assert done.exit_code == 1
    assert said in done.output
    assert "Value error" not in done.output
