"""`baseplane up` as its operator meets it: started, crashed in every part, stopped, started again."""

import os
import re
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.e2e.installation import Installation, until


@pytest.fixture(scope="module")
def ref(installation: Installation) -> str:
    """A healthy project with one row in it."""
    ref = installation.await_healthy(installation.create_project())
    installation.query(ref, "create table kept as select 42 as answer")
    return ref


def has_its_row(installation: Installation, ref: str) -> bool:
    return installation.query(ref, "select answer from kept") == [(42,)]


def test_ready_json_says_where_everything_is(installation: Installation) -> None:
    facts = installation.ready
    assert facts["pid"] == installation.pid
    assert facts["data_dir"] == str(installation.data_dir)
    assert facts["api_url"] == f"http://127.0.0.1:{facts['ports']['api']}"
    assert len({facts["ports"][name] for name in ("api", "postgres", "pooler")} - {0}) == 3
    assert facts["project_host"]
    assert all(Path(facts[name]).is_file() for name in ("profile", "access_token", "ca"))


def test_the_token_of_the_first_start_is_private_and_works(installation: Installation) -> None:
    token = Path(installation.ready["access_token"])
    assert token.stat().st_mode & 0o777 == 0o600
    assert installation.call("GET", "/v1/organizations").status_code == 200
    assert token.read_text().strip() in installation.output.read_text()


def test_the_logs_are_for_the_operator_alone(installation: Installation) -> None:
    logs = installation.data_dir / "log"
    assert logs.stat().st_mode & 0o777 == 0o700
    assert (logs / "api.log").is_file()


def test_a_project_is_reached_over_tls_that_the_ca_vouches_for(installation: Installation, ref: str) -> None:
    assert has_its_row(installation, ref)
    facts = installation.ready
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(
            host="127.0.0.1", port=facts["ports"]["pooler"], user=f"postgres.{ref}", password="wrong",
            sslmode="verify-ca", sslrootcert=facts["ca"],
        )  # fmt: skip


def test_a_second_start_on_the_same_directory_is_refused_and_names_the_first(installation: Installation) -> None:
    assert f"process {installation.pid}." in installation.refused()
    assert installation.answers()


def test_a_busy_port_is_named_with_its_holder() -> None:
    other = Installation()
    try:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            said = other.refused(f"127.0.0.1:{port}")
        assert re.search(rf"Port {port} of 127\.0\.0\.1 is taken by process {os.getpid()} ", said)
        assert "--listen" in said
    finally:
        other.end()


def test_a_project_that_was_asked_for_outlives_the_worker(installation: Installation) -> None:
    ref = installation.create_project()
    installation.kill_part("worker")
    installation.await_healthy(ref)


def test_the_api_comes_back(installation: Installation) -> None:
    installation.kill_part("api")
    until(installation.answers, 15, "answering again")


def test_parts_share_the_memory_of_what_they_have_imported(installation: Installation) -> None:
    for name in ("api", "worker", "ingress", "gateway"):
        rollup = Path(f"/proc/{installation.part(name)}/smaps_rollup").read_text()
        kilobytes = {field: int(number) for field, number in re.findall(r"^(\w+): +(\d+) kB$", rollup, re.MULTILINE)}
        assert kilobytes["Pss_Anon"] < 0.7 * kilobytes["Anonymous"]


def test_a_part_comes_back_also_when_what_it_was_forked_from_is_gone(installation: Installation) -> None:
    nursery = next(
        each for each in psutil.Process(installation.pid).children() if "nursery" in " ".join(each.cmdline())
    )
    nursery.kill()
    installation.kill_part("api")
    until(installation.answers, 45, "answering again")


def test_an_ingress_killed_under_load_costs_its_clients_a_connection_and_nothing_else(
    installation: Installation, ref: str
) -> None:
    installation.query(ref, "create table written (writer int, n int)")
    kept: dict[int, list[int]] = {writer: [] for writer in range(4)}
    killed = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(_write, installation, ref, writer, kept[writer], killed) for writer in kept]
        until(lambda: all(kept.values()), 15, "writing")
        postmaster = installation.postmaster(ref)
        installation.kill_part("ingress")
        killed.set()
        assert all(writer.result(timeout=60) > 0 for writer in writers), "nobody lost a connection"
    assert installation.postmaster(ref) == postmaster
    found = installation.query(ref, "select writer, n from written")
    assert {(writer, n) for writer in kept for n in kept[writer]} <= {(row[0], row[1]) for row in found}
    assert installation.status(ref) == "ACTIVE_HEALTHY"


def _write(installation: Installation, ref: str, writer: int, kept: list[int], killed: threading.Event) -> int:
    """Write rows, connecting again when the connection is lost, until ten have come after it; gives the losses."""
    losses, after = 0, 0
    while after < 10:
        try:
            with installation.connect(ref) as session:
                while after < 10:
                    session.execute("insert into written values (%s, %s)", [writer, len(kept)])
                    kept.append(len(kept))
                    after += killed.is_set() and losses > 0
        except psycopg.OperationalError:
            losses += 1
    return losses


def test_a_project_whose_postgres_is_killed_gets_healthy_with_its_data(installation: Installation, ref: str) -> None:
    killed = installation.postmaster(ref)
    os.kill(killed, signal.SIGKILL)
    until(lambda: not _is_alive(killed), 5, "dying")
    installation.await_healthy(ref)
    assert installation.postmaster(ref) != killed
    assert has_its_row(installation, ref)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_parts_end_after_a_killed_up_and_clusters_go_on_into_the_next(installation: Installation, ref: str) -> None:
    served_by = installation.postmaster(ref)
    os.kill(installation.pid, signal.SIGKILL)
    assert installation.process is not None
    installation.process.wait()
    until(lambda: not any(map(installation.part, ("api", "worker", "ingress"))), 15, "the end of the parts")
    assert _is_alive(served_by)
    installation.up()
    installation.await_healthy(ref)
    assert installation.postmaster(ref) == served_by
    assert has_its_row(installation, ref)


def test_ctrl_c_stops_everything_and_the_next_start_brings_it_back(installation: Installation, ref: str) -> None:
    os.kill(installation.pid, signal.SIGINT)
    assert installation.process is not None
    assert installation.process.wait(15) == 0
    assert not installation.processes()
    assert not (installation.data_dir / "ready.json").exists()
    installation.up()
    installation.await_healthy(ref)
    assert has_its_row(installation, ref)
