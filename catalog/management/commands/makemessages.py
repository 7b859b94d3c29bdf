"""Django's own command, which reads Python and Django's templates, for templates that are Jinja2's."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from django.core.management.commands import makemessages
from django.template import engines
from django.template.backends.jinja2 import Jinja2

EDITORS = "catalog/admin/templates/"


class TemplateFile(makemessages.BuildFile):
    """gettext is given the calls that a template makes, as Python."""

    def preprocess(self) -> None:
        if self.is_templatized and EDITORS in self.path:  # Django's own
            super().preprocess()
        elif self.is_templatized:
            environment: Any = cast("Jinja2", engines["jinja2"]).env
            calls = environment.extract_translations(Path(self.path).read_text(encoding="utf-8"))
            text = "".join(f"{function}({_arguments(message)})\n" for _line, function, message in calls)
            Path(self.work_path).write_text(text, encoding="utf-8")


def _arguments(message: str | tuple[str | None, ...] | None) -> str:
    """What is not a text (the number that a plural hangs on) is of no interest."""
    return ", ".join(repr(each) for each in (message if isinstance(message, tuple) else (message,)))


class Command(makemessages.Command):
    build_file_class = TemplateFile
