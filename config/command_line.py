"""`model-atlas`, where the site was installed as a package: `serve`, `load`, and every command of `manage.py`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from django.core.management import call_command, execute_from_command_line
from django.db import OperationalError

USAGE = """\
model-atlas serve                        load, then serve on HOST and PORT (127.0.0.1:8000)
model-atlas load                         make the database, fill it, collect static files; safe to repeat
model-atlas estimate --config FILE ...   memory of a model; `model-atlas help` lists all other commands
"""


ENDED = 128 + signal.SIGTERM


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # The first process of a container gets no signal that it has no handler for (pid_namespaces(7)): it would be killed
    # after a while instead, in the middle of loading.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(ENDED))
    match sys.argv[1:]:
        case [] | ["-h" | "--help"]:
            sys.stdout.write(USAGE)
        case ["load"]:
            load()
        case ["serve"]:
            load()
            os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "-c", "python:config.server"])  # noqa: S606
        case _:
            execute(sys.argv)


def execute(words: list[str]) -> None:
    """A command of Django's or of the site's. Where the database is what fails, one line says how: there is none yet,
    and this makes one; another process holds its lock; its server does not answer."""
    try:
        execute_from_command_line(words)
    except OperationalError as error:
        if "--traceback" in words:
            raise
        sys.exit(str(error).strip())


def load() -> None:
    """As `make load` does in a checkout."""
    import django
    from django.conf import settings

    settings.WRITTEN.mkdir(parents=True, exist_ok=True)
    django.setup()
    from catalog import versions

    collected = Path(settings.STATIC_ROOT) / ".release"  # to compress them takes a quarter of a minute
    if not collected.exists() or collected.read_text() != versions.release():
        call_command("collectstatic", interactive=False, verbosity=0)
        collected.write_text(versions.release())
    call_command("migrate", verbosity=0)
    call_command("sync_catalog")
