"""What a Django monolith installs so that services know who asks: one line in its urls.

    urlpatterns = [path("", include("strangler.django.urls")), ...]

It imports nothing else of the kit, and answers nobody who does not know the service key.
"""
