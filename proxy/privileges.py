"""Become another user for good, once what only root may do is done."""

import os
import pwd
from pathlib import Path


class UserRefused(ValueError):
    """The proxy cannot run as that user; the message says what was found and what is wanted."""


def become(name: str, folder: Path) -> None:
    """Give `folder` and what is in it to the user `name`, and run as that user with its groups alone.

    Raises UserRefused.
    """
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        raise UserRefused(f"--user: found no user {name!r}; wanted one of this machine's users") from None
    if os.geteuid() == user.pw_uid:
        return
    if os.geteuid() != 0:
        raise UserRefused(f"--user {name}: only root can become another user; leave --user out")
    if folder.stat().st_uid != user.pw_uid:  # in a folder of its own, what root would give away is its choice
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    for file in (os.__file__, __file__):  # workers go on importing
        if not os.access(file, os.R_OK):
            raise UserRefused(f"--user {name}: it cannot read {file}; wanted a Python that all may run")
