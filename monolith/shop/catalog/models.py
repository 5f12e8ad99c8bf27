"""The five tables of the catalog. `rating_average` and `rating_count` are written by `nightly` alone."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

# PostgreSQL's integer: said here so that SQLite, which would take more, refuses the same values.
LARGEST_POSITION = 2_147_483_647


class Category(models.Model):
    """A shelf of the shop; shelves nest."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=140, unique=True)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    position = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(LARGEST_POSITION)])

    class Meta:
        ordering = ["position", "id"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """Something for sale."""

    sku = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=220, unique=True)
    description = models.TextField(blank=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    price = models.DecimalField(
        max_digits=10, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    currency = models.CharField(max_length=3, default="EUR")
    weight_kg = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    released_on = models.DateField(null=True, blank=True)
    rating_average = models.DecimalField(max_digits=3, decimal_places=2, null=True, editable=False)
    rating_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # hard: a many-to-many to the same table, through a table with columns of its own
    related = models.ManyToManyField(
        "self",
        through="RelatedProduct",
        through_fields=("from_product", "to_product"),
        symmetrical=False,
        related_name="related_from",
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="catalog_product_newest"),
            models.Index(fields=["price", "id"], name="catalog_product_by_price"),
            models.Index(fields=["name", "id"], name="catalog_product_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def first_image(self) -> "ProductImage | None":
        """The image shown in lists; costs no query once `images` is prefetched."""
        return next(iter(self.images.all()), None)


class ProductImage(models.Model):
    """A picture of a product, by address; the shop stores no picture itself."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    url = models.CharField(max_length=500)
    alt = models.CharField(max_length=200, blank=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.url


class RelatedProduct(models.Model):
    """That one product is shown beside another, and why."""

    class Kind(models.TextChoices):
        ACCESSORY = "accessory"
        ALTERNATIVE = "alternative"

    from_product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="related_links")
    to_product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="related_from_links")
    kind = models.CharField(max_length=20, choices=Kind)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["from_product", "to_product"], name="catalog_relatedproduct_once")
        ]

    def __str__(self) -> str:
        return f"{self.from_product_id} → {self.to_product_id} ({self.kind})"


class Review(models.Model):
    """What one customer says of one product."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="reviews")
    # hard: a foreign key into another app's table; the name is kept too, for when the author is gone
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="reviews"
    )
    author_name = models.CharField(max_length=150)
    rating = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    title = models.CharField(max_length=120)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["product", "author"], name="catalog_review_once")]

    def __str__(self) -> str:
        return f"{self.rating}/5 {self.title}"
