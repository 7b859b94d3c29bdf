"""The WSGI application that gunicorn serves, with all that a first visitor would else wait for at hand."""

import gc
import os
from pathlib import Path

from django.core.wsgi import get_wsgi_application

from config import databases
from config.in_threads import keep_in_threads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
keep_in_threads()
databases.answer_within_s = databases.LONGEST_S

application = get_wsgi_application()


OBJECTS = 5_000
"""New ones before the collector looks for what can go in circles: an answer makes some thousands and few circles, a
first one, which reads dozens of models, some ten thousands. Left at Python's 700, it takes a tenth of that one's time.
"""
CONTROLS = ("attrs", "checkbox", "hidden", "input", "number", "select", "select_option", "text")


def preload() -> None:
    """Addresses, translations and templates, read before workers are forked: once, and shared by them.

    No database is opened, which a fork must not share.
    """
    from django.conf import settings
    from django.template.loader import get_template
    from django.urls import get_resolver
    from django.utils import translation
    from django.utils.translation import trans_real

    from calculator.hardware import engine_named
    from calculator.memory import ENGINES
    from calculator.public_form import PublicForm
    from catalog import versions
    from config.kept_texts import keep_texts

    keep_texts()
    versions.release()
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            translation.gettext("Model Atlas")
            _ = get_resolver().reverse_dict
    folder = Path(settings.SHIPPED) / "templates"
    for path in folder.rglob("*.*ml"):
        get_template(path.relative_to(folder).as_posix())
    for name in CONTROLS:
        PublicForm.default_renderer.get_template(f"django/forms/widgets/{name}.html")
    for engine in ENGINES:
        engine_named(engine)
    trans_real.parse_accept_lang_header("en")  # writes its expression, which takes longer than an answer of the API
    gc.set_threshold(OBJECTS)
    gc.collect()
    gc.freeze()  # what stays is not searched again for what can go, and stays shared with the workers


preload()
