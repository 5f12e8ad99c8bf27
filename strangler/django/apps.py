"""The app `strangler.django`: it watches every connection for refusals of a fence."""

from django.apps import AppConfig
from django.core.checks import register
from django.db import connections
from django.db.backends.signals import connection_created

from strangler.django.checks import middleware_comes_first
from strangler.django.watch import watch


class StranglerConfig(AppConfig):  # type: ignore[misc]
    """The kit's part of a monolith."""

    name = "strangler.django"
    label = "strangler"
    verbose_name = "Strangler migration kit"

    def ready(self) -> None:
        connection_created.connect(watch, dispatch_uid="strangler.django.watch")
        for connection in connections.all(initialized_only=True):
            watch(connection)
        register(middleware_comes_first)
