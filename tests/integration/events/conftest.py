"""What tells, what hears, and what lies between."""

from tests.rabbitmq import broker

__all__ = ["broker"]
