"""The shop's addresses, an identity endpoint whose keys the tests know, and views judged in other ways."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.authentication import BasicAuthentication
from rest_framework.views import APIView
from shop.urls import urlpatterns as shop

from strangler.django.endpoint import Authenticate
from strangler.django.keys import Keys
from strangler.django.urls import PATH

KEYS = Keys("the-service-key", Ed25519PrivateKey.generate())


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


class Basic(APIView):
    """A view that believes passwords alone."""

    authentication_classes = [BasicAuthentication]


urlpatterns = [
    path(PATH, Authenticate(KEYS)),
    path("page/", page),
    path("open-page/", csrf_exempt(page)),
    path("basic/", Basic.as_view()),
    *shop,
]
