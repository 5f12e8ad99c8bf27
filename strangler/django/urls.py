"""The address to include in a monolith's urls."""

import os

from django.urls import path

from strangler.django.endpoint import Authenticate
from strangler.django.keys import read_keys

PATH = "__strangler__/authenticate"

urlpatterns = [path(PATH, Authenticate(read_keys(os.environ)))]
