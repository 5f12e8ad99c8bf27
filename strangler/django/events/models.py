"""The inbox: which events were heard."""

from django.db import models


class Heard(models.Model):  # type: ignore[misc]
    """That an event was heard, written in the transaction of what it made the monolith do."""

    # CloudEvents 1.0: source and id together are unique.
    source = models.CharField(max_length=200)
    uid = models.CharField(max_length=200)
    type = models.CharField(max_length=100)
    subject = models.CharField(max_length=200)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "strangler_inbox"
        constraints = [models.UniqueConstraint(fields=["source", "uid"], name="strangler_inbox_once")]
        indexes = [models.Index(fields=["type", "subject"], name="strangler_inbox_subject")]

    def __str__(self) -> str:
        return f"{self.type} of {self.subject}"
