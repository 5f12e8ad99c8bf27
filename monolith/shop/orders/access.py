"""Who may read which orders."""

from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet

from shop.accounts.models import User
from shop.orders.models import Order

SUPPORT = "support"


def orders_readable_by(user: User) -> QuerySet[Order]:
    """Return every order for staff and support, their own for anybody else."""
    if user.is_staff or user.has_perm("orders.view_order"):
        return Order.objects.all()
    return Order.objects.filter(user=user.pk)


def make_support_group(**kwargs: object) -> None:
    """Make the group whose members may read all orders. Run after every migrate; safe to run again."""
    support, _ = Group.objects.get_or_create(name=SUPPORT)
    support.permissions.set(
        Permission.objects.filter(content_type__app_label="orders", codename="view_order")
    )
