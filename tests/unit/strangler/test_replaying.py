"""As whom a replay or a search asks: nobody without proof, and everybody who has one."""

import pytest

from strangler.errors import NoCredentials
from strangler.replaying import roles_of

STAFF = {"STRANGLER_ROLE_STAFF": "Cookie: sessionid=staff", "STRANGLER_ROLE_USER": ""}


def test_a_role_without_credentials_is_refused():
    with pytest.raises(NoCredentials, match="'user'"):
        roles_of(["user"], STAFF)


def test_whoever_can_prove_itself_is_asked_as_without_being_named():
    assert [role.name for role in roles_of([], STAFF)] == ["anonymous", "staff"]
    assert [role.name for role in roles_of([], {})] == ["anonymous"]


def test_a_named_role_is_the_only_one():
    (role,) = roles_of(["staff"], STAFF)
    assert role.credentials == {"Cookie": "sessionid=staff"}
