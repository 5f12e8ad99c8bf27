from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from extracted.chassis.errors import BadIdentity
from extracted.chassis.identity import ANONYMOUS, Identity, IdentityReader, load_public_key

KEY = Ed25519PrivateKey.generate()
READER = IdentityReader(KEY.public_key(), "catalog")
CLAIMS = {
    "sub": "7",
    "name": "Ada",
    "staff": True,
    "permissions": ["a.b"],
    "aud": "catalog",
    "iss": "monolith",
}


def token(key=KEY, algorithm="EdDSA", minutes=5, **changes) -> str:
    expires = datetime.now(UTC) + timedelta(minutes=minutes)
    claims = {
        name: value for name, value in {**CLAIMS, "exp": expires, **changes}.items() if value is not None
    }
    return jwt.encode(claims, key, algorithm=algorithm)


def pem(key) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize("claim", ["sub", "name", "staff", "permissions", "aud", "iss", "exp"])
def test_a_token_that_leaves_something_out_is_refused(claim):
    with pytest.raises(BadIdentity):
        READER.read(token(**{claim: None}))


@pytest.mark.parametrize(
    "bad",
    [
        token(minutes=-1),
        token(aud="orders"),
        token(iss="somebody"),
        token(sub="not a number"),
        token(key=Ed25519PrivateKey.generate()),
        token(key="a" * 32, algorithm="HS256"),
        jwt.encode(CLAIMS, None, algorithm="none"),
        "garbage",
        "",
    ],
)
def test_a_token_not_to_be_believed_is_refused_and_never_ignored(bad):
    with pytest.raises(BadIdentity):
        READER.read(bad)


def test_nobody_is_staff_by_a_word_that_is_not_true():
    assert not READER.read(token(staff="yes")).staff


def test_a_good_token_says_who_asks():
    assert READER.read(token()) == Identity(7, "Ada", staff=True, permissions=frozenset({"a.b"}))


def test_without_a_token_everybody_is_anonymous():
    assert READER.read(None) == ANONYMOUS
    assert not ANONYMOUS.authenticated


def test_without_a_key_nobody_is_believed():
    assert IdentityReader(None, "catalog").read(token()) == ANONYMOUS


def test_only_an_ed25519_key_is_taken():
    assert load_public_key(pem(KEY.public_key()))
    with pytest.raises(ValueError, match="Ed25519"):
        load_public_key(pem(generate_private_key(SECP256R1()).public_key()))
