"""The app's configuration: it finds what the project's apps want to hear."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class EventsConfig(AppConfig):  # type: ignore[misc]
    """Events of the services, and the inbox that knows which were heard."""

    name = "strangler.django.events"
    label = "strangler_events"
    verbose_name = "Events of extracted services"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        autodiscover_modules("receivers")
