"""The catalog over HTTP: everybody reads, staff writes products, customers write reviews."""

from django.db import IntegrityError, transaction
from django.db.models import Count, Prefetch, Q, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import serializers
from rest_framework.filters import SearchFilter
from rest_framework.permissions import SAFE_METHODS, IsAuthenticatedOrReadOnly
from rest_framework.viewsets import ModelViewSet

from shop.catalog.filters import ProductFilter, ReviewFilter, StableOrdering
from shop.catalog.models import Category, Product, RelatedProduct, Review
from shop.catalog.serializers import (
    CategorySerializer,
    ProductListSerializer,
    ProductSerializer,
    ReviewSerializer,
)
from shop.permissions import ReadOnlyUnlessAuthorOrStaff, ReadOnlyUnlessStaff


class CategoryViewSet(ModelViewSet):
    """Categories, each with the number of products on sale in it."""

    queryset = Category.objects.annotate(
        product_count=Count("products", filter=Q(products__is_active=True))
    ).order_by("position", "id")
    serializer_class = CategorySerializer
    permission_classes = [ReadOnlyUnlessStaff]
    filter_backends = [DjangoFilterBackend, SearchFilter]
    filterset_fields = ["parent"]
    search_fields = ["name"]

    def perform_create(self, serializer: CategorySerializer) -> None:
        # Read back, for the answer shows a count that only the query computes.
        serializer.instance = self.get_queryset().get(pk=serializer.save().pk)


class ProductViewSet(ModelViewSet):
    """Products: readers see those on sale, staff also writes the others."""

    queryset = Product.objects.select_related("category").prefetch_related("images")
    permission_classes = [ReadOnlyUnlessStaff]
    filter_backends = [DjangoFilterBackend, SearchFilter, StableOrdering]
    filterset_class = ProductFilter
    search_fields = ["name", "sku", "description"]
    ordering_fields = ["price", "name", "created_at"]
    ordering = ["-created_at", "-id"]

    def get_queryset(self) -> QuerySet[Product]:
        products = super().get_queryset()
        if self.action != "list":
            links = RelatedProduct.objects.select_related("to_product")
            products = products.prefetch_related(Prefetch("related_links", links))
        if self.request.method in SAFE_METHODS:
            products = products.filter(is_active=True)
        return products

    def get_serializer_class(self) -> type[serializers.ModelSerializer]:
        return ProductListSerializer if self.action == "list" else ProductSerializer


class ReviewViewSet(ModelViewSet):
    """Reviews: one a product and author, changed by that author or by staff."""

    queryset = Review.objects.all()
    serializer_class = ReviewSerializer
    permission_classes = [IsAuthenticatedOrReadOnly, ReadOnlyUnlessAuthorOrStaff]
    filter_backends = [DjangoFilterBackend, StableOrdering]
    filterset_class = ReviewFilter
    ordering_fields = ["created_at", "rating"]
    ordering = ["-created_at", "-id"]

    def perform_create(self, serializer: ReviewSerializer) -> None:
        author = self.request.user
        try:
            with transaction.atomic():
                serializer.save(author=author, author_name=author.display_name)
        except IntegrityError as error:  # the same review, sent twice at the same moment
            message = {"non_field_errors": ["You have already reviewed this product."]}
            raise serializers.ValidationError(message) from error
