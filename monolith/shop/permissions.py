"""Who may do what in the API, where REST framework's own permissions do not say it."""

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class ReadOnlyUnlessStaff(BasePermission):
    """Everybody reads, staff writes."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.method in SAFE_METHODS or request.user.is_staff


class ReadOnlyUnlessAuthorOrStaff(BasePermission):
    """Everybody reads an entry; its author and staff change it."""

    def has_object_permission(self, request: Request, view: APIView, entry) -> bool:
        if request.method in SAFE_METHODS or request.user.is_staff:
            return True
        return entry.author_id is not None and entry.author_id == request.user.pk
