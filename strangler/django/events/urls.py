"""The address to include in the urls of a monolith that takes events over HTTP."""

import os

from django.urls import path

from strangler.django.events.endpoint import Receive

PATH = "__strangler__/events"  # the proxy lets nobody through to it
PEER_KEY = "STRANGLER_PEER_KEY"

urlpatterns = [path(PATH, Receive(os.environ.get(PEER_KEY, "")))]
