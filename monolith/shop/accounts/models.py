"""Users and the addresses they have things sent to."""

import uuid
from pathlib import PurePath

from django.contrib.auth.models import AbstractUser
from django.db import models


def avatar_path(user: "User", filename: str) -> str:
    """Return a name nobody can guess or collide with; of the client's own name only the ending stays."""
    return f"avatars/{uuid.uuid4().hex}{PurePath(filename).suffix.lower()}"


class User(AbstractUser):
    """Somebody with a login: a customer, or staff."""

    avatar = models.ImageField(upload_to=avatar_path, blank=True)

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.get_username()


class Address(models.Model):
    """A place a user has things sent to."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="addresses")
    name = models.CharField(max_length=150)
    street = models.CharField(max_length=200)
    postcode = models.CharField(max_length=20)
    city = models.CharField(max_length=100)
    country = models.CharField(max_length=2)
    is_default = models.BooleanField(default=False)

    class Meta:
        ordering = ["-is_default", "id"]
        verbose_name_plural = "addresses"

    def __str__(self) -> str:
        return f"{self.name}, {self.street}, {self.postcode} {self.city}"
