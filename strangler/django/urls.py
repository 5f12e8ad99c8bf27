"""The addresses to include in a monolith's urls. The proxy lets nobody through to them."""

import os

from django.urls import path

from strangler.django.endpoint import Authenticate
from strangler.django.keys import read_keys, read_peer_key
from strangler.django.references import References

PATH = "__strangler__/authenticate"
REFERENCES = "__strangler__/references/<str:table>/<str:key>"

urlpatterns = [
    path(PATH, Authenticate(read_keys(os.environ))),
    path(REFERENCES, References(read_peer_key(os.environ))),
]
