"""The command that cron runs every night."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from shop.nightly import run


class Command(BaseCommand):
    """Run the night's work."""

    help = "Refresh ratings, throw away forgotten carts, cancel orders nobody paid. Safe to run again."

    def handle(self, *args: object, **options: object) -> None:
        night = run(timezone.now())
        self.stdout.write(
            f"{night.ratings} ratings refreshed, {night.carts} carts thrown away, "
            f"{night.orders} unpaid orders cancelled"
        )
