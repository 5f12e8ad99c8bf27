"""What every integration test may use."""

from tests.postgres import postgres

__all__ = ["postgres"]
