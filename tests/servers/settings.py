"""The product's settings for a site that a test starts, but for static files: to collect them takes long."""

from config.settings import *  # noqa: F403
from config.settings import SHIPPED, STORAGES

STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
STATICFILES_DIRS = []
STATIC_ROOT = SHIPPED / "static"  # WhiteNoise serves what lies there
