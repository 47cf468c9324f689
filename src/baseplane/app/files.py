"""How many files a process may have open."""

import resource


def take_all_files() -> None:
    """As many as there may be: doors take two for each client, its connection and the one to what it wants; a worker
    takes one for each cluster, by which it hears of its end.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
