"""The command that hears events from a broker."""

import signal
import threading
from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from strangler.django.events.broker import EventConsumer


class Command(BaseCommand):  # type: ignore[misc]
    """Hear what services tell."""

    help = "Take the services' events from RabbitMQ and do what they call for, each once, until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "url", metavar="URL", help="the broker, as amqp(s)://USER:PASSWORD@HOST:PORT/VHOST"
        )
        parser.add_argument(
            "--subscriber", default="monolith", metavar="NAME", help="whose queue; default %(default)s"
        )

    def handle(self, *args: object, url: str, subscriber: str, **options: object) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        EventConsumer(url, subscriber, stop.is_set).run()
