"""Settings of the shop, read once from the environment. A wrong value stops the start and is named."""

from pathlib import Path

from environs import Env, validate

from shop.database import database, sqlite_file

env = Env()

REPOSITORY = Path(__file__).resolve().parents[2]
VAR = REPOSITORY / "var"

DEBUG = env.bool("MONOLITH_DEBUG", False)
SECRET_KEY = env.str("MONOLITH_SECRET_KEY", "development-only-set-MONOLITH_SECRET_KEY-in-production")
ALLOWED_HOSTS = env.list("MONOLITH_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("MONOLITH_CSRF_TRUSTED_ORIGINS", [])

# The only forwarded header that is believed: whether the client spoke HTTPS to the proxy.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
HTTPS_ONLY_COOKIES = env.bool("MONOLITH_HTTPS_ONLY_COOKIES", False)
SESSION_COOKIE_SECURE = HTTPS_ONLY_COOKIES
CSRF_COOKIE_SECURE = HTTPS_ONLY_COOKIES

# Whether every request of somebody signed in begins the session's age anew.
SESSION_SAVE_EVERY_REQUEST = env.bool("MONOLITH_SLIDING_SESSIONS", False)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "drf_spectacular",
    "strangler.django",
    "strangler.django.events",
    "shop",
    "shop.accounts",
    "shop.catalog",
    "shop.inventory",
    "shop.cart",
    "shop.orders",
    "shop.payments",
    "shop.pages",
]

MIDDLEWARE = [
    "strangler.django.middleware.FenceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "shop.pages.context.cart_size",
            ],
        },
    },
]

DATABASES = {
    "default": database(env.str("MONOLITH_DATABASE_URL", "") or sqlite_file(VAR / "monolith.sqlite3"))
}

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
# Served straight from the apps' folders: there is no collectstatic step that could be forgotten.
WHITENOISE_USE_FINDERS = True
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR / "media"
AVATAR_MAX_BYTES = 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "shop.pagination.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_RATES": {
        "login": env.str("MONOLITH_LOGIN_RATE", "30/min"),
        "checkout": env.str("MONOLITH_CHECKOUT_RATE", "60/min"),
    },
    # The routing proxy appends the address it saw; what a client wrote before that is not counted by.
    "NUM_PROXIES": env.int("MONOLITH_PROXIES", 1),
    "EXCEPTION_HANDLER": "shop.errors.answer",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "The shop",
    "DESCRIPTION": "Catalog, stock, cart, orders, payments and accounts of a small company's shop.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "OrderStatus": "shop.orders.models.Order.Status",
        "PaymentStatus": "shop.payments.models.Payment.Status",
    },
}

# The payment provider fails on demand: nothing, decline, timeout or error.
PAYMENTS_FAILURE = env.str(
    "MONOLITH_PAYMENTS_FAILURE", "", validate=validate.OneOf(["", "decline", "timeout", "error"])
)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.log_level("MONOLITH_LOG_LEVEL", "INFO")},
}
