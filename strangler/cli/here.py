"""The edge of the command: this directory, this environment, this user."""

import os
from pathlib import Path

from strangler.actor import Actor, current_actor
from strangler.installation import Installation, find_installation


def here() -> Installation:
    """Return the installation that the command was typed in."""
    return find_installation(Path.cwd(), os.environ)


def actor() -> Actor:
    """Return who typed the command."""
    return current_actor(os.environ)
