"""The keys of the identity endpoint, read from the environment."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from django.core.exceptions import ImproperlyConfigured

from strangler.django.keys import PRIVATE_KEY, SERVICE_KEY, read_keys


def pem(key, encryption: KeySerializationEncryption | None = None) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


KEY = Ed25519PrivateKey.generate()


@pytest.mark.parametrize(
    "found",
    ["", "garbage", pem(generate_private_key(SECP256R1())), pem(KEY, BestAvailableEncryption(b"secret"))],
    ids=["nothing", "garbage", "another kind", "encrypted"],
)
def test_a_service_key_without_a_key_to_sign_with_is_named(found: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=PRIVATE_KEY):
        read_keys({SERVICE_KEY: "s", PRIVATE_KEY: found})


def test_without_a_service_key_there_are_no_keys() -> None:
    assert read_keys({}) is None
    assert read_keys({SERVICE_KEY: "", PRIVATE_KEY: pem(KEY)}) is None


def test_keys_never_show_themselves() -> None:
    keys = read_keys({SERVICE_KEY: "a-secret", PRIVATE_KEY: pem(KEY)})
    assert keys is not None
    assert keys.service_key == "a-secret"
    assert "a-secret" not in repr(keys)
