"""The forms of the storefront."""

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.core.validators import RegexValidator

from shop.accounts.models import User
from shop.cart.models import LARGEST_QUANTITY
from shop.orders.checkout import Destination


class RegistrationForm(BaseUserCreationForm):
    """Become a customer."""

    class Meta:
        model = User
        fields = ["username", "email", "first_name", "last_name"]


class QuantityForm(forms.Form):
    """How many; none removes the line."""

    quantity = forms.IntegerField(min_value=0, max_value=LARGEST_QUANTITY)


class CardForm(forms.Form):
    """A card to pay with."""

    card_number = forms.CharField(
        validators=[RegexValidator(r"^\d{12,19}\Z", "Enter 12 to 19 digits.")],
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "cc-number"}),
    )


class CheckoutForm(CardForm):
    """Where to and with which card; without one the order stays open for a few days."""

    name = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    street = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autocomplete": "street-address"}))
    postcode = forms.CharField(max_length=20, widget=forms.TextInput(attrs={"autocomplete": "postal-code"}))
    city = forms.CharField(max_length=100, widget=forms.TextInput(attrs={"autocomplete": "address-level2"}))
    country = forms.CharField(
        validators=[RegexValidator(r"^[A-Z]{2}\Z", "Enter a two-letter country code, such as DE.")],
        widget=forms.TextInput(attrs={"autocomplete": "country", "size": 2}),
    )

    field_order = ["name", "street", "postcode", "city", "country", "card_number"]

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["card_number"].required = False
        self.fields["card_number"].help_text = "Leave empty to pay within three days."

    @property
    def destination(self) -> Destination:
        """Where the order goes, once the form is valid."""
        return Destination(
            **{name: self.cleaned_data[name] for name in ("name", "street", "postcode", "city", "country")}
        )
