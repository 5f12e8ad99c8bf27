"""Pages to sign in, out and up with."""

from django.contrib.auth import login
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.generic import FormView
from rest_framework.throttling import ScopedRateThrottle

from shop.pages.forms import RegistrationForm


class SignInView(LoginView):
    """Sign in, as often a minute as the API allows, and go on to `next` on this site."""

    template_name = "pages/login.html"
    throttle_scope = "login"

    def get_success_url_allowed_hosts(self) -> set[str]:
        """Allow no host at all: `next` is a path of this site, whatever it calls itself."""
        return set()

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not ScopedRateThrottle().allow_request(request, self):
            return render(request, "pages/throttled.html", status=429)
        return super().post(request, *args, **kwargs)


class RegisterView(FormView):
    """Become a customer, and be signed in at once."""

    template_name = "pages/register.html"
    form_class = RegistrationForm

    def form_valid(self, form: RegistrationForm) -> HttpResponse:
        login(self.request, form.save())
        return redirect("home")
