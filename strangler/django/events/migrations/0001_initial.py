"""The inbox."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):  # type: ignore[misc]
    """Create it."""

    initial = True

    dependencies: ClassVar[list[tuple[str, str]]] = []

    operations = [
        migrations.CreateModel(
            name="Heard",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=200)),
                ("uid", models.CharField(max_length=200)),
                ("type", models.CharField(max_length=100)),
                ("subject", models.CharField(max_length=200)),
                ("at", models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
            options={
                "db_table": "strangler_inbox",
                "indexes": [models.Index(fields=["type", "subject"], name="strangler_inbox_subject")],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "uid"), name="strangler_inbox_once")
                ],
            },
        ),
    ]
