"""What a Django monolith installs. It imports nothing else of the kit.

`urls` lets services know who asks; the app and its middleware let the tables move:

    urlpatterns = [path("", include("strangler.django.urls")), ...]
    INSTALLED_APPS = ["strangler.django", ...]
    MIDDLEWARE = ["strangler.django.middleware.FenceMiddleware", ...]
"""
