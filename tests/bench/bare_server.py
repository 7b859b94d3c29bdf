"""gunicorn for the bare view: as `config.server` has it, without what the site does beside answering."""

from typing import Any

from config.server import *  # noqa: F403


def post_worker_init(_worker: Any) -> None:  # type: ignore[no-redef]  # in place of the site's
    """No ranks are owed here, and nothing is to be worked out before somebody asks."""
