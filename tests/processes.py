import psutil


def kill(pid: int) -> None:
    """End it at once, and wait until it is gone or a zombie."""
    process = psutil.Process(pid)
    process.kill()
    gone, _ = psutil.wait_procs([process], timeout=10)
    assert gone or process.status() == psutil.STATUS_ZOMBIE
