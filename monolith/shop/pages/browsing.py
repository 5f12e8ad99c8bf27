"""Pages to look around in: lists of products, one product, what sells best."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.views.generic import DetailView, ListView

from shop.catalog.models import Category, Product
from shop.orders.bestsellers import bestsellers
from shop.pages.models import Tag
from shop.pages.tagging import tagged, tags_of

ORDERINGS = {
    "": ("-created_at", "-id"),
    "price": ("price", "id"),
    "-price": ("-price", "id"),
    "name": ("name", "id"),
}
BESTSELLERS = 12
REVIEWS = 10


class ProductListView(ListView):
    """Everything on sale, newest first, searched by `?q=`."""

    template_name = "pages/list.html"
    context_object_name = "products"
    paginate_by = 24
    title = "New in the shop"

    def get_queryset(self) -> QuerySet[Product]:
        products = Product.objects.filter(is_active=True).prefetch_related("images")
        words = self.request.GET.get("q", "").replace("\x00", "").strip()
        if words:
            products = products.filter(name__icontains=words)
        return self.narrow(products).order_by(
            *ORDERINGS.get(self.request.GET.get("order", ""), ORDERINGS[""])
        )

    def narrow(self, products: QuerySet[Product]) -> QuerySet[Product]:
        """Return those of `products` that belong on this page."""
        return products

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        categories = Category.objects.filter(parent=None)
        return super().get_context_data(title=self.title, categories=categories, **kwargs)


class CategoryView(ProductListView):
    """What is on sale in one category and in those under it."""

    def narrow(self, products: QuerySet[Product]) -> QuerySet[Product]:
        category = get_object_or_404(Category, slug=self.kwargs["slug"])
        self.title = category.name
        shelves = [category.pk, *category.children.values_list("pk", flat=True)]
        return products.filter(category__in=shelves)


class TagView(ProductListView):
    """What is on sale under one tag."""

    def narrow(self, products: QuerySet[Product]) -> QuerySet[Product]:
        tag = get_object_or_404(Tag, slug=self.kwargs["slug"])
        self.title = f"Tagged “{tag.name}”"
        return tagged(products, tag)


class ProductView(DetailView):
    """One product, with what people say of it."""

    template_name = "pages/product.html"
    queryset = Product.objects.filter(is_active=True).select_related("category", "stock")

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        links = self.object.related_links.filter(to_product__is_active=True)
        return super().get_context_data(
            tags=tags_of(self.object),
            reviews=self.object.reviews.all()[:REVIEWS],
            related=[link.to_product for link in links.prefetch_related("to_product__images")],
            **kwargs,
        )


class BestsellersView(ListView):
    """What sells best and can still be bought."""

    template_name = "pages/bestsellers.html"
    context_object_name = "products"

    def get_queryset(self) -> QuerySet[Product]:
        return bestsellers(BESTSELLERS).prefetch_related("images")
