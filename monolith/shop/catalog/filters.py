"""How lists of the catalog are narrowed and ordered by the query string."""

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.views import APIView

from shop.catalog.models import Product, Review


class StableOrdering(OrderingFilter):
    """Order by what the client asks for, then always by id, so that pages never overlap."""

    def get_ordering(self, request: Request, queryset: QuerySet, view: APIView) -> list[str]:
        ordering = list(super().get_ordering(request, queryset, view))
        return ordering if {"id", "-id"} & set(ordering) else [*ordering, "id"]


class ProductFilter(filters.FilterSet):
    """Bounds are inclusive. Digits are bounded like the columns: more would not compare alike everywhere."""

    category = filters.CharFilter(field_name="category__slug")
    price_min = filters.NumberFilter(field_name="price", lookup_expr="gte", max_digits=10, decimal_places=2)
    price_max = filters.NumberFilter(field_name="price", lookup_expr="lte", max_digits=10, decimal_places=2)
    rating_min = filters.NumberFilter(
        field_name="rating_average", lookup_expr="gte", max_digits=3, decimal_places=2
    )
    released_after = filters.DateFilter(field_name="released_on", lookup_expr="gte")

    class Meta:
        model = Product
        fields = ["category", "price_min", "price_max", "rating_min", "released_after"]


class ReviewFilter(filters.FilterSet):
    """The reviews of one product, or of one rating."""

    rating = filters.NumberFilter(max_digits=3, decimal_places=0)

    class Meta:
        model = Review
        fields = ["product", "rating"]
