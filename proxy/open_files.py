"""How many files the proxy may open, and how many clients that leaves each worker."""

import resource

MOST = 1_048_576  # more than that is no limit but an accident
OWN = 64  # control, counts, table, log


def room_for_clients(connections: int) -> int:
    """Raise this process's limit on open files as far as it may; return the clients that leaves a worker.

    `connections`: to each upstream. What they need is kept, up to half of all.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    files = MOST if soft == resource.RLIM_INFINITY else soft
    return files - min(2 * connections + OWN, files // 2)
