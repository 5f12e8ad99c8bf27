"""The address to include in the urls of a monolith that takes events over HTTP."""

import os

from django.urls import path

from strangler.django.events.endpoint import Receive
from strangler.django.keys import read_peer_key

PATH = "__strangler__/events"  # the proxy lets nobody through to it

urlpatterns = [path(PATH, Receive(read_peer_key(os.environ)))]
