"""Whom a cluster lets in: all who have a password, or nobody but the platform."""

from baseplane.drivers.cluster.account import Account
from baseplane.drivers.cluster.configuration import HBA, HBA_CLOSED
from baseplane.drivers.cluster.connections import Connection
from baseplane.drivers.cluster.layout import ClusterFiles
from baseplane.drivers.cluster.reconfiguration import read_again


def write(account: Account, files: ClusterFiles, *, closed: bool) -> None:
    """What a server reads that is about to start."""
    if closed:
        files.closed.touch()
    else:
        files.closed.unlink(missing_ok=True)
    account.write(files.data / "pg_hba.conf", HBA_CLOSED if closed else HBA)


async def reopen(account: Account, files: ClusterFiles, db: Connection) -> None:
    """Let all in again, at the server that ``db`` leads to. Raises Unavailable."""
    account.write(files.data / "pg_hba.conf", HBA)
    await read_again(db)
    files.closed.unlink()  # only now: it says what the server has read
