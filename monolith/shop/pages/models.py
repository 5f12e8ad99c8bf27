"""Tags: words that staff puts on anything in the shop."""

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models


class Tag(models.Model):
    """A word."""

    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=80, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TaggedItem(models.Model):
    """That something carries a tag."""

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="items")
    # hard: a reference to any table, which no database checks and which outlives what it refers to
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    object_id = models.PositiveBigIntegerField()
    content_object = GenericForeignKey("content_type", "object_id")

    class Meta:
        indexes = [models.Index(fields=["content_type", "object_id"], name="pages_taggeditem_object")]
        constraints = [
            models.UniqueConstraint(fields=["tag", "content_type", "object_id"], name="pages_taggeditem_once")
        ]

    def __str__(self) -> str:
        return f"{self.tag_id} on {self.content_type_id}/{self.object_id}"
