"""Ask for tags of things and for things by tag."""

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet

from shop.pages.models import Tag, TaggedItem


def tags_of(thing: Model) -> QuerySet[Tag]:
    """Return the tags that `thing` carries."""
    kind = ContentType.objects.get_for_model(thing)
    return Tag.objects.filter(items__content_type=kind, items__object_id=thing.pk)


def tagged(things: QuerySet, tag: Tag) -> QuerySet:
    """Return those of `things` that carry `tag`."""
    kind = ContentType.objects.get_for_model(things.model)
    carriers = TaggedItem.objects.filter(tag=tag, content_type=kind)
    return things.filter(pk__in=carriers.values("object_id"))
