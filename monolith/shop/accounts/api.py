"""Accounts over HTTP: becoming a customer, signing in and out, oneself, one's addresses and picture."""

from django.contrib.auth import login, logout
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.authtoken.serializers import AuthTokenSerializer
from rest_framework.authtoken.views import ObtainAuthToken
from rest_framework.generics import CreateAPIView, RetrieveUpdateAPIView
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import ModelViewSet

from shop.accounts.models import Address, User
from shop.accounts.serializers import (
    AddressSerializer,
    AvatarSerializer,
    RegistrationSerializer,
    UserSerializer,
)


class RegisterView(CreateAPIView):
    """Become a customer."""

    serializer_class = RegistrationSerializer
    permission_classes = [AllowAny]


class LoginView(APIView):
    """Sign in: answers with oneself, a session cookie and a CSRF cookie for the requests that follow."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "login"

    @extend_schema(request=AuthTokenSerializer, responses=UserSerializer)
    def post(self, request: Request) -> Response:
        credentials = AuthTokenSerializer(data=request.data, context={"request": request})
        credentials.is_valid(raise_exception=True)
        login(request, credentials.validated_data["user"])
        return Response(UserSerializer(request.user, context={"request": request}).data)


class TokenView(ObtainAuthToken):
    """Sign in without cookies: answers with a token. As guessable as a login, so as throttled."""

    permission_classes = [AllowAny]
    parser_classes = [JSONParser]
    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "login"


class LogoutView(APIView):
    """Sign out: the session ends, on this device alone."""

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        logout(request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(RetrieveUpdateAPIView):
    """Oneself."""

    serializer_class = UserSerializer

    def get_object(self) -> User:
        return self.request.user


class AvatarView(APIView):
    """One's picture: a new one replaces the old one, whose file goes too."""

    # hard: the one endpoint that takes a file, not JSON
    parser_classes = [MultiPartParser]

    @extend_schema(request=AvatarSerializer, responses={201: UserSerializer})
    def post(self, request: Request) -> Response:
        previous = request.user.avatar.name
        upload = AvatarSerializer(request.user, data=request.data)
        upload.is_valid(raise_exception=True)
        user = upload.save()
        if previous:
            user.avatar.storage.delete(previous)
        shown = UserSerializer(user, context={"request": request})
        return Response(shown.data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        request.user.avatar.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class AddressViewSet(ModelViewSet):
    """One's own addresses; somebody else's do not exist."""

    queryset = Address.objects.all()
    serializer_class = AddressSerializer

    def get_queryset(self) -> QuerySet[Address]:
        return super().get_queryset().filter(user=self.request.user.pk)

    def perform_create(self, serializer: AddressSerializer) -> None:
        serializer.save(user=self.request.user)
