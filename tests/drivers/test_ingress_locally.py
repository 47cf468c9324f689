"""The Postgres door on its Unix socket, where what projects run on this machine comes in."""

import asyncio
import os
import socket as socketlib
from contextlib import closing
from ipaddress import IPv6Network, ip_address
from pathlib import Path

import psycopg
import pytest

from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.ingress.peers import LOCAL
from tests.drivers.conftest import REF, Door, startup

OURS = IPv6Network((LOCAL, 32))


@pytest.fixture
async def socket(door: Door, data_dir: Path) -> Path:
    path = Layout(data_dir).door
    await door.ingress.listen_locally(path)
    return path


async def test_a_local_client_is_led_to_its_project_and_counts_as_encrypted(door: Door, socket: Path) -> None:
    async with await door.connect(host=str(socket.parent), hostaddr=None, port=5432) as client:
        assert await (await client.execute("select 1")).fetchone() == (1,)
    (visitor,) = door.rules.visitors
    assert visitor.encrypted
    assert ip_address(visitor.address) in OURS


async def test_a_second_start_takes_the_socket_over(door: Door, socket: Path) -> None:
    await door.ingress.listen_locally(socket)
    async with await door.connect(host=str(socket.parent), hostaddr=None, port=5432) as client:
        assert await (await client.execute("select 1")).fetchone() == (1,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become others")
async def test_users_of_the_machine_are_sources_of_their_own(door: Door, socket: Path) -> None:
    for uid in (61_001, 61_002):
        with closing(come_as(uid, socket)) as client:
            reader, writer = await asyncio.open_unix_connection(sock=client)
            writer.write(startup(user=f"postgres.{REF}", database="postgres"))
            assert await reader.readexactly(1) == b"R"
            writer.close()
    sites = {IPv6Network((int(ip_address(visitor.address)), 64), strict=False) for visitor in door.rules.visitors}
    assert len(sites) == 2


def come_as(uid: int, path: Path) -> socketlib.socket:
    """A connection made by this user."""
    client = socketlib.socket(socketlib.AF_UNIX)
    os.seteuid(uid)
    try:
        client.connect(str(path))
    finally:
        os.seteuid(0)
    return client


async def test_a_wrong_password_is_told_to_the_gate_with_the_users_address(door: Door, socket: Path) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        await door.connect(host=str(socket.parent), hostaddr=None, port=5432, password="wrong")
    ((_, address, sqlstate),) = door.rules.failures
    assert (ip_address(address) in OURS, sqlstate) == (True, "28P01")
