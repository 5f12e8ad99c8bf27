"""`takeover pace`: pause a follower, let it go on, or bound how fast it copies and what load it may add to.

Heard at the follower's next step.
"""

from strangler.errors import UnfitPace
from strangler.takeover.handover import Where, opened
from strangler.takeover.session import Databases
from strangler.takeover.state import Note, Pace, encode


def set_pace(where: Where, pace: Pace) -> Pace:
    """Set how fast a group's follower may go. Raises NotStarted, UnfitPace."""
    with opened(where) as takeover:
        takeover.databases.started()
        _require_fit(pace, takeover.databases)
        takeover.databases.service.write_note(takeover.name, Note.PACE, encode(pace))
    return pace


def _require_fit(pace: Pace, databases: Databases) -> None:
    name = databases.group.name
    if 0 < pace.critical_active < pace.max_active:
        raise UnfitPace(
            f"--critical-active {pace.critical_active} is below --max-active {pace.max_active}; wanted it"
            " above: what is critical comes after what only slows",
            next=f"strangler takeover pace {name} --max-active {pace.max_active} --critical-active"
            f" {2 * pace.max_active}",
        )
    load = databases.monolith.load()
    if (pace.max_lag and load.lag is None) or (
        load.active is None and (pace.max_active or pace.critical_active)
    ):
        raise UnfitPace(
            f"the monolith's database at {databases.monolith_at} does not tell its standbys or sessions;"
            " wanted PostgreSQL, and a role that may see them, or no limit to them",
            next=f"strangler takeover pace {name}        (once pg_read_all_stats is granted to the role of"
            " MONOLITH_DATABASE_URL; on SQLite: --max-wait)",
        )
