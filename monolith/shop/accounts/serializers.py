"""The JSON of accounts."""

from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as InvalidValue
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import RegexValidator
from rest_framework import serializers

from shop.accounts.models import Address, User

IMAGE_FORMATS = frozenset({"PNG", "JPEG", "WEBP"})


class UserSerializer(serializers.ModelSerializer):
    """The person asking."""

    class Meta:
        model = User
        fields = ["id", "username", "email", "first_name", "last_name", "is_staff", "avatar", "date_joined"]
        read_only_fields = ["username", "is_staff", "avatar", "date_joined"]


class RegistrationSerializer(serializers.ModelSerializer):
    """Somebody who wants to become a customer."""

    password = serializers.CharField(write_only=True, trim_whitespace=False)

    class Meta:
        model = User
        fields = ["username", "email", "first_name", "last_name", "password"]
        extra_kwargs = {"email": {"required": True, "allow_blank": False}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Hold the password against the person it is for."""
        person = User(**{name: value for name, value in attrs.items() if name != "password"})
        try:
            validate_password(attrs["password"], person)
        except InvalidValue as error:
            raise serializers.ValidationError({"password": error.messages}) from error
        return attrs

    def create(self, validated_data: dict[str, Any]) -> User:
        return User.objects.create_user(**validated_data)


class AddressSerializer(serializers.ModelSerializer):
    """An address of the person asking."""

    country = serializers.CharField(
        validators=[RegexValidator(r"^[A-Z]{2}$", "Enter a two-letter country code, such as DE.")]
    )

    class Meta:
        model = Address
        fields = ["id", "name", "street", "postcode", "city", "country", "is_default"]


class AvatarSerializer(serializers.ModelSerializer):
    """A picture of oneself: really an image, of a common kind, and small."""

    avatar = serializers.ImageField(write_only=True)

    class Meta:
        model = User
        fields = ["avatar"]

    def validate_avatar(self, upload: UploadedFile) -> UploadedFile:
        if upload.size > settings.AVATAR_MAX_BYTES:
            raise serializers.ValidationError(f"Upload at most {settings.AVATAR_MAX_BYTES} bytes.")
        if upload.image.format not in IMAGE_FORMATS:
            raise serializers.ValidationError(f"Upload one of {', '.join(sorted(IMAGE_FORMATS))}.")
        # Named by what it is, not by what the client called it: the name decides how it is served.
        upload.name = f"avatar.{upload.image.format.lower()}"
        return upload
