"""Ports: whether they are free, who has them, and what to take instead."""

import contextlib
import socket

import psutil


def is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Which process listens there, in words; empty when the system does not tell."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            taken = connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN
            if taken and connection.pid:
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return ""


def free_near(host: str, port: int) -> int:
    """``port`` if it is free, else the next free one above; any free one for 0 and as the last resort."""
    for candidate in range(port, min(port + 100, 65536)) if port else ():
        if is_free(host, candidate):
            return candidate
    with socket.socket() as probe:
        probe.bind((host, 0))
        chosen: int = probe.getsockname()[1]
        return chosen
