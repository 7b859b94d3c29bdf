"""The product's settings; what differs is what would make tests slow or need a build step."""

from config.settings import *  # noqa: F403
from config.settings import BASE_DIR, CACHES, DATABASES, STORAGES

SECRET_KEY = "tests-only-" + "x" * 40
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # pytest-django sets up no test database where no test asks for one by mark or fixture; none may reach the real one.
    DATABASES = {"default": DATABASES["default"] | {"NAME": ":memory:"}}
# tests/config/test_static.py runs collectstatic with the product's storage.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
NOWHERE = {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
CACHES = CACHES | {"graphs": NOWHERE, "shapes": NOWHERE, "written": NOWHERE}  # nothing of another run
STATIC_ROOT = BASE_DIR / "static"  # WhiteNoise warns of a folder that is not there
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WORK_SECONDS = 0  # all tests have one address
RANK_IN_BACKGROUND = False  # the process would not see the test's database
