"""When things happened in an invented shop: derived from the seed, never from the clock."""

from datetime import UTC, datetime, timedelta
from random import Random

OPENED = datetime(2023, 1, 1, tzinfo=UTC)
OPEN_SECONDS = 2 * 365 * 24 * 3600


def dice(seed: int, subject: str) -> Random:
    """Return the random numbers for one subject, so that more of one thing changes nothing of another."""
    return Random(f"{seed}:{subject}")  # noqa: S311 - invented data, no secret


def moment(chance: Random) -> datetime:
    """Return some moment of the shop's two years; one in ten on a whole second, as real imports have."""
    microseconds = 0 if chance.random() < 0.1 else chance.randrange(1_000_000)
    return OPENED + timedelta(seconds=chance.randrange(OPEN_SECONDS), microseconds=microseconds)


def later(moment: datetime, chance: Random) -> datetime:
    """Return a moment within the ten days after `moment`."""
    return moment + timedelta(seconds=chance.randrange(60, 10 * 24 * 3600))
