"""What the tests of a whole installation share."""

from collections.abc import Iterator

import pytest

from tests.e2e.installation import Installation


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    installation = Installation()
    try:
        installation.up()
        yield installation
    finally:
        installation.end()
