"""gunicorn reads this file by itself; a checkout and an installed site are served alike."""

from config.server import *  # noqa: F403
