"""Settings: this one module, from the environment alone. README.md lists the variables.

Defaults suit a site on this machine over plain HTTP; HTTPS=1 turns on all that a public one needs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from csp.constants import NONE, SELF
from whitenoise.compress import Compressor

from config import databases, environment, languages, places, reports, static_files

BASE_DIR = places.PROGRAM
SHIPPED, WRITTEN = places.SHIPPED, places.written()

# Security
DEBUG = environment.flag("DEBUG")
SECRET_KEY = environment.secret("SECRET_KEY", stored_in=WRITTEN / ".cache" / "secret-key")
SECRET_KEY_FALLBACKS = environment.words("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", f"localhost,127.0.0.1,[::1],{environment.text('HOST')}")
CSRF_TRUSTED_ORIGINS = environment.addresses("CSRF_TRUSTED_ORIGINS")
HTTPS = environment.flag("HTTPS")
SECURE_SSL_REDIRECT = environment.flag("SSL_REDIRECT", default=HTTPS)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # whoever watches asks by the machine's address, over HTTP
SECURE_HSTS_SECONDS = environment.integer("HSTS_SECONDS", 31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = environment.flag("HSTS_INCLUDE_SUBDOMAINS")
SECURE_HSTS_PRELOAD = environment.flag("HSTS_PRELOAD")
SECURE_CROSS_ORIGIN_OPENER_POLICY = None  # config.middleware.browser_policies sets it, on documents
# Only who owns the domain knows whether all its subdomains have https, so a site without these two is no mistake.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
BEHIND_PROXY = environment.flag("BEHIND_PROXY")  # only where a proxy sets the headers and strips what visitors send
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
CSRF_COOKIE_HTTPONLY = True
# The admin's alone. Not by Django's name: a cookie of that name for all paths, from before, would be read in its place.
LANGUAGE_COOKIE_NAME = "__Secure-admin_language" if HTTPS else "admin_language"
LANGUAGE_COOKIE_SECURE, LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SAMESITE = HTTPS, True, "Lax"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
# Only editors have sessions. OWASP ASVS 4.0.3, level 2, wants the password again after 12 hours (3.3.2) and none kept
# by a browser that is closed. Nobody is logged out for being idle: whoever writes a long text would lose it.
SESSION_COOKIE_AGE = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "upgrade-insecure-requests": HTTPS,
    }
}
API_RATE = environment.rate("API_RATE", "6000/min")  # requests to the API from one address
PASTE_RATE = environment.rate("PASTE_RATE", "600/min")  # configs and logs sent to pages from one address
# Seconds of processor time in a minute that long answers to one address take; 0: no bound. A reader who goes along the
# slider and back, of a pasted DeepSeek V3 with a part in RAM, takes 40 (18 answers). All threads of a process have 60:
# no bound at all.
WORK_SECONDS = environment.integer("WORK_SECONDS", 45)
ADMIN_PATH = environment.path("ADMIN_PATH", "admin/")
LANGUAGE_COOKIE_PATH = f"/{ADMIN_PATH}"
MESSAGE_STORAGE = "config.editor_messages.EditorMessages"
MESSAGES_COOKIE_NAME = "__Host-messages" if HTTPS else "messages"
VALIDATORS = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [  # ASVS 2.1: long and not common; which kinds of characters is nobody's business
    {"NAME": f"{VALIDATORS}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{VALIDATORS}.UserAttributeSimilarityValidator"},
    {"NAME": f"{VALIDATORS}.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
TOTP = environment.flag("TOTP")  # a code from an app after the password

# An account is locked for the address that failed, and only for it: else whoever knows a name could lock its owner out.
# Failures are kept in the database, which all processes share; a try while locked does not make it longer.
LOGIN_RATE = "30/min"  # of one visitor for all accounts together: to check a password keeps a processor busy
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "catalog.visitors.client_address"
AXES_LOCKOUT_CALLABLE = "config.accounts.locked_out"
AXES_DISABLE_ACCESS_LOG = True  # who logged in from where is nobody's business once it worked
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["username"]  # in the log: people type a password there by mistake; addresses are shown
OTP_TOTP_ISSUER = "Model Atlas"

METRICS = environment.flag("METRICS")  # /metrics, for Prometheus; the proxy keeps it from the public

# Application
INSTALLED_APPS = [
    "modeltranslation",  # before the admin, whose forms it extends
    "config.accounts.AdminWithCodes" if TOTP else "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "axes",
    *(("django_otp", "django_otp.plugins.otp_totp", "django_otp.plugins.otp_static") if TOTP else ()),
    "csp",
    "django_htmx",
    "reversion",
    "calculator",
    "catalog",
]
MIDDLEWARE = [
    "config.logs.request_ids",
    "config.middleware.head_as_get",
    "config.middleware.browser_policies",
    "config.middleware.content_policy",
    "django.middleware.security.SecurityMiddleware",
    *(("config.metrics.metrics",) if METRICS else ()),
    "config.health.health",  # before all that asks for a host or a cookie
    "config.middleware.shared_caches",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.languages.by_address",
    "config.kept_answers.kept_answers",  # what stands below is not asked where an answer is at hand
    "config.work_rates.work_times",
    "django.middleware.gzip.GZipMiddleware",  # pages of editors, and where a browser takes no Brotli
    "config.compression.brotli_pages",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.middleware.AllowedMethods",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.post_rates.PostRates",  # what a strange page has an editor's browser send is none of the editor's tries
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.work_rates.work_rates",
    *(("django_otp.middleware.OTPMiddleware",) if TOTP else ()),
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [SHIPPED / "templates"],
        "OPTIONS": {"environment": "config.jinja.environment", "context_processors": ["config.context.site"]},
    },
    {  # the admin's
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "catalog" / "admin" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "config.context.site",
            ],
            "libraries": {"editors": "catalog.admin.home"},
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Storage
DATABASES = {"default": databases.database(WRITTEN / "db.sqlite3")}
REDIS_URL = environment.addresses("REDIS_URL", schemes=("redis", "rediss", "unix"))
KEPT_ANSWERS = environment.integer("KEPT_ANSWERS", 500)  # in each process; one takes 5 to 20 KB in Brotli
LARGE_ANSWER_BYTES = 10_000  # as many as these take, whatever they are


def _cache(name: str, most: int) -> dict[str, Any]:
    options = {"MAX_ENTRIES": most, "MOST_BYTES": most * LARGE_ANSWER_BYTES}  # in each process
    if REDIS_URL:
        backend = "config.shared_cache.SharedCache"
        return {"BACKEND": backend, "LOCATION": REDIS_URL, "KEY_PREFIX": name, "OPTIONS": options}
    return {"BACKEND": "config.kept_in_memory.InMemory", "LOCATION": name, "OPTIONS": options}


CACHES = {
    "default": _cache("default", 2000),
    "answers": _cache("answers", KEPT_ANSWERS),
    "graphs": {  # large, and the same after a restart; one takes 1 to 15 KB
        "BACKEND": "config.kept_in_files.InFiles",
        "LOCATION": WRITTEN / ".cache" / "graphs",
        "OPTIONS": {"MAX_ENTRIES": 5000},
    },
    "shapes": {  # each in two files, with all that is known of it; apart, so that readers' plans do not push them out
        "BACKEND": "config.kept_in_files.InFiles",
        "LOCATION": WRITTEN / ".cache" / "shapes",
        "OPTIONS": {"MAX_ENTRIES": 4000},
    },
    "checked": {  # what the checks found on each card, for the next start
        "BACKEND": "config.kept_in_files.InFiles",
        "LOCATION": WRITTEN / ".cache" / "checked",
        "OPTIONS": {"MAX_ENTRIES": 3},
    },
    "written": {  # what pages say of a model whatever is asked, for all processes
        "BACKEND": "config.kept_in_files.InFiles",
        "LOCATION": WRITTEN / ".cache" / "written",
        "OPTIONS": {"MAX_ENTRIES": 5000},
    },
}
STATIC_URL = "static/"
STATIC_ROOT = WRITTEN / "staticfiles"
STATICFILES_DIRS = [SHIPPED / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static_files.MinifiedStaticFilesStorage"},
}
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_ADD_HEADERS_FUNCTION = static_files.policies
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")  # only debuggers ask for them
LARGEST_FORM_BYTES = 40 * 2**20  # of editors, files included: the longest index of a checkpoint has 15 MB
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 2**20  # a pasted config.json of up to 4 MB, its quotes written as %22

# Languages
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]  # each in its own words
LOCALE_PATHS = [SHIPPED / "locale"]
MODELTRANSLATION_DEFAULT_LANGUAGE = "en"
MODELTRANSLATION_FALLBACK_LANGUAGES = {"default": ("en", "zh-hans")}
MODELTRANSLATION_BUILD_LOCALIZED_VERBOSE_NAME = languages.labelled
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

RANK_IN_BACKGROUND = True  # after an edit, by a process of its own; else whoever saved waits

CALCULATOR_CATALOGUE = "catalog.bridge.catalogue.DatabaseCatalogue"  # the models and cards of the full calculator

# What the footer says, where an operator sets it
ICP_NUMBER = environment.text("ICP_NUMBER")  # mainland China asks for these two on every page
POLICE_NUMBER = environment.text("POLICE_NUMBER")
REPORT_URL = reports.template("REPORT_URL")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} {request_id}: {message}", "style": "{"},
        "json": {"()": "config.logs.Json"},
    },
    "filters": {"of_request": {"()": "config.logs.OfRequest"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": environment.choice("LOG_FORMAT", "line", ("line", "json")),
            "filters": ["of_request"],
        }
    },
    "loggers": {"axes": {"level": "WARNING"}},  # else four lines for a login
    "root": {
        "handlers": ["stderr"],
        "level": environment.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
    },
}
