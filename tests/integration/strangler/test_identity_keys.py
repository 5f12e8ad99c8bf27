"""The keys by which the parts of one stack believe each other."""

import stat
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from extracted.chassis.rehearsals.mark import read_key
from strangler.django.recording.mark import read_rehearsal_key
from strangler.errors import BadIdentityKey
from strangler.identity_keys import (
    PRIVATE_KEY,
    PUBLIC_KEY,
    REHEARSAL_KEY,
    SERVICE_KEY,
    identity_environment,
)


@pytest.mark.parametrize("pem", ["garbage", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_is_none_is_refused_by_the_name_of_its_variable(tmp_path: Path, pem: str) -> None:
    with pytest.raises(BadIdentityKey, match=PRIVATE_KEY) as refusal:
        identity_environment(tmp_path, {PRIVATE_KEY: pem})
    assert pem not in refusal.value.message


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    key = X25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(BadIdentityKey):
        identity_environment(tmp_path, {PRIVATE_KEY: pem})


def test_a_spoilt_file_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "identity.pem").write_text("")
    with pytest.raises(BadIdentityKey, match=r"identity\.pem"):
        identity_environment(tmp_path, {})


def test_keys_are_made_once_kept_and_their_owners_alone(tmp_path: Path) -> None:
    made = identity_environment(tmp_path, {})
    assert identity_environment(tmp_path, {}) == made
    assert len(made[SERVICE_KEY]) >= 40
    for name in ("identity.pem", "service.key", "rehearsal.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_the_public_half_checks_what_the_private_half_signs(tmp_path: Path) -> None:
    made = identity_environment(tmp_path, {})
    token = jwt.encode({"a": 1}, load_pem_private_key(made[PRIVATE_KEY].encode(), None), algorithm="EdDSA")
    key = load_pem_public_key(made[PUBLIC_KEY].encode())
    assert jwt.decode(token, key, algorithms=["EdDSA"]) == {"a": 1}


def test_two_stacks_believe_different_keys(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = identity_environment(tmp_path / "a", {}), identity_environment(tmp_path / "b", {})
    assert all(one[name] != other[name] for name in one)


def test_the_rehearsal_key_is_one_that_monolith_and_services_accept(tmp_path: Path) -> None:
    made = identity_environment(tmp_path, {})
    assert read_rehearsal_key(made) == made[REHEARSAL_KEY].encode() == read_key(made[REHEARSAL_KEY])


def test_what_the_environment_names_is_used_and_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    given = identity_environment(tmp_path / "a", {})
    del given[PUBLIC_KEY]
    assert identity_environment(tmp_path / "none", given)[SERVICE_KEY] == given[SERVICE_KEY]
    assert not (tmp_path / "none").exists()
