"""The door's own login to a cluster, against a real Postgres and against one that only pretends."""

import base64
import struct

import pytest

from baseplane.drivers.ingress import Refused
from baseplane.drivers.ingress.password import ClusterLogin, Prompt
from baseplane.drivers.ingress.scram import matches
from tests.drivers.conftest import Door

OK = b"R" + struct.pack("!II", 8, 0)


def request(code: int, body: bytes) -> bytes:
    return b"R" + struct.pack("!II", len(body) + 8, code) + body


SASL = request(10, b"SCRAM-SHA-256\0\0")


async def test_a_verifier_of_postgres_matches_its_password_alone(door: Door) -> None:
    async with await door.connect() as session:
        made = session.pgconn.encrypt_password(b"a password", b"any", b"scram-sha-256").decode()
    assert matches(made, "a password")
    assert not matches(made, "another")
    assert not matches("md5" + "0" * 32, "a password")


def first_of(login: ClusterLogin) -> bytes:
    to_cluster, to_client = login.feed(SASL)
    assert to_client == b""
    return to_cluster.partition(b"r=")[2]


def test_a_server_that_does_not_know_the_password_is_refused() -> None:
    login = ClusterLogin("the password")
    nonce = first_of(login)
    login.feed(request(11, b"r=" + nonce + b"more,s=" + base64.b64encode(b"salt") + b",i=4096"))
    with pytest.raises(Refused, match="has not shown"):
        login.feed(request(12, b"v=" + base64.b64encode(bytes(32))))


@pytest.mark.parametrize("answer", [b"r=somebody-elses,s=c2FsdA==,i=4096", b"e=other-error", b""])
def test_a_server_that_answers_somebody_else_is_refused(answer: bytes) -> None:
    login = ClusterLogin("the password")
    first_of(login)
    with pytest.raises(Refused, match="has not shown"):
        login.feed(request(11, answer))


@pytest.mark.parametrize("wish", [OK, request(3, b""), request(5, b"salt"), request(10, b"OTHER\0\0")])
def test_no_other_login_is_taken(wish: bytes) -> None:
    with pytest.raises(Refused, match="not SCRAM-SHA-256"):
        ClusterLogin("the password").feed(wish)


def test_what_follows_the_login_goes_to_the_client() -> None:
    for size in range(1, 40):
        login = ClusterLogin("x")
        login._proven = True
        stream, seen = OK + b"S" + struct.pack("!I", 9) + b"a\0b\0\0" + b"Z\0\0\0\x05I", b""
        for at in range(0, len(stream), size):
            answer, rest = login.feed(stream[at : at + size]) if not login.done else (b"", stream[at : at + size])
            assert answer == b""
            seen += rest
        assert seen == stream


@pytest.mark.parametrize("sent", [b"Q\0\0\0\x05x", b"p\0\0\0\x01", b"p\xff\xff\xff\xff", b"X"])
async def test_a_client_that_sends_something_else_is_refused(sent: bytes) -> None:
    prompt = Prompt()
    prompt.feed(bytearray(sent))
    with pytest.raises(Refused):
        await prompt.answer
