"""Pages to buy with: the cart, checkout, one's orders. A refusal is shown on the page, never as an error."""

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.generic import DetailView, FormView, ListView, TemplateView, View

from shop.cart.filling import add, cart_of, change, open_cart
from shop.cart.models import CartLine
from shop.catalog.models import Product
from shop.errors import Refusal
from shop.orders.checkout import cancel, pay, place
from shop.orders.models import Order
from shop.pages.forms import CardForm, CheckoutForm, QuantityForm
from shop.pages.tagging import tags_of


class CartView(TemplateView):
    """What the visitor means to buy."""

    template_name = "pages/cart.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return super().get_context_data(cart=cart_of(self.request), **kwargs)


class AddToCartView(View):
    """Put a product in the cart."""

    def post(self, request: HttpRequest, product_id: int) -> HttpResponse:
        product = get_object_or_404(Product, pk=product_id, is_active=True)
        form = QuantityForm(request.POST)
        if not form.is_valid():
            messages.error(request, form.errors["quantity"][0])
            return redirect("product-page", slug=product.slug)
        try:
            add(open_cart(request), product, form.cleaned_data["quantity"] or 1)
        except Refusal as refusal:
            messages.error(request, str(refusal))
        return redirect("cart-page")


class CartLineView(View):
    """Change how many, or remove the line."""

    def post(self, request: HttpRequest, line_id: int) -> HttpResponse:
        cart = cart_of(request)
        line = get_object_or_404(CartLine, pk=line_id, cart=cart.pk if cart else None)
        form = QuantityForm(request.POST)
        if not form.is_valid():
            messages.error(request, form.errors["quantity"][0])
        elif form.cleaned_data["quantity"]:
            change(line, form.cleaned_data["quantity"])
        else:
            line.delete()
        return redirect("cart-page")


class CheckoutView(LoginRequiredMixin, FormView):
    """Order what is in the cart."""

    template_name = "pages/checkout.html"
    form_class = CheckoutForm

    def get_initial(self) -> dict[str, str]:
        address = self.request.user.addresses.first()
        if address is None:
            return {"name": self.request.user.get_full_name()}
        return {name: getattr(address, name) for name in ("name", "street", "postcode", "city", "country")}

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return super().get_context_data(cart=cart_of(self.request), **kwargs)

    def form_valid(self, form: CheckoutForm) -> HttpResponse:
        card_number = form.cleaned_data["card_number"] or None
        try:
            order = place(self.request.user, open_cart(self.request), form.destination, card_number)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
            return self.form_invalid(form)
        messages.success(self.request, "Thank you for your order.")
        return redirect("order-page", pk=order.pk)


class OrdersView(LoginRequiredMixin, ListView):
    """One's own orders."""

    template_name = "pages/orders.html"
    context_object_name = "orders"
    paginate_by = 20

    def get_queryset(self) -> QuerySet[Order]:
        return self.request.user.orders.all()


class OrderView(LoginRequiredMixin, DetailView):
    """One of one's own orders: `post` pays it, or cancels it."""

    template_name = "pages/order.html"
    context_object_name = "order"

    def get_queryset(self) -> QuerySet[Order]:
        return self.request.user.orders.prefetch_related("lines", "history", "payments")

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return super().get_context_data(card=CardForm(), tags=tags_of(self.object), **kwargs)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        order = self.get_object()
        try:
            messages.success(request, self._cancel(order) if "cancel" in request.POST else self._pay(order))
        except Refusal as refusal:
            messages.error(request, str(refusal))
        return redirect("order-page", pk=pk)

    def _cancel(self, order: Order) -> str:
        cancel(order.pk, self.request.user)
        return "The order is cancelled."

    def _pay(self, order: Order) -> str:
        card = CardForm(self.request.POST)
        if not card.is_valid():
            raise Refusal(card.errors["card_number"][0])
        pay(order.pk, card.cleaned_data["card_number"])
        return "Thank you for your payment."
