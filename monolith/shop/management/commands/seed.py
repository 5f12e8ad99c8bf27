"""The command that fills a database with an invented shop."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from shop.seeding.people import PASSWORD
from shop.seeding.shop import TABLES, Size, fill


class Command(BaseCommand):
    """Invent a shop."""

    help = "Fill the database with an invented shop; the same size and seed give the same rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--products", type=int, default=1000, metavar="N", help="default %(default)s")
        parser.add_argument("--orders", type=int, default=200, metavar="N", help="default %(default)s")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="default %(default)s")
        parser.add_argument("--fresh", action="store_true", help="delete everything in the shop first")

    def handle(self, *args: object, **options: int) -> None:
        size = Size(options["products"], options["orders"])
        if size.products < 1 or size.orders < 0:
            raise CommandError(f"--products must be at least 1 and --orders at least 0, not {size}.")
        if not options["fresh"]:
            self._require_empty()
        for table, count in fill(size, options["seed"], fresh=bool(options["fresh"])).items():
            self.stdout.write(f"{count:>9,}  {table}")
        self.stdout.write(
            f'staff1, support1, customer1 to customer{size.customers}: all with the password "{PASSWORD}"'
        )

    def _require_empty(self) -> None:
        counts = {model._meta.verbose_name_plural: model.objects.count() for model in TABLES}
        found = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        if found:
            raise CommandError(
                f"The database already has {found}. Nothing was changed; --fresh deletes them first."
            )
