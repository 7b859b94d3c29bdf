"""Where readers report an error: the operator's address, filled with the page, its language and the fact in doubt."""

from __future__ import annotations

from string import Formatter
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from config import environment

NAMES = ("title", "text", "page", "language", "fact")
LONGEST = 500
WHOLE = "subject={title}&body={text}"  # what a mail without words of its own says


def template(name: str) -> str:
    """An address of the web or of a mailbox from the environment, with some of `NAMES` in braces."""
    value = environment.text(name)
    if not value:
        return ""
    parts = urlsplit(value)
    if not (parts.netloc if parts.scheme in ("http", "https") else parts.scheme == "mailto" and "@" in parts.path):
        raise environment.fault(name, f"{value!r} is neither https://… nor mailto:name@host")
    _check(name, value)
    return f"{value}?{WHOLE}" if parts.scheme == "mailto" and not parts.query else value


def _check(name: str, value: str) -> None:
    known = ", ".join(f"{{{known}}}" for known in NAMES)
    try:
        unknown = {found for _text, found, *_rest in Formatter().parse(value) if found is not None} - set(NAMES)
    except ValueError as error:
        raise environment.fault(name, f"{value!r}: {error}; known: {known}") from error
    if unknown:
        raise environment.fault(name, f"{{{min(unknown)}}} is not known; these are: {known}")


def report_url(page: str, fact: str = "") -> str:
    """Empty where the operator gave no address. `fact` in the reader's words: a heading, a source. Of a page whose
    address holds a whole config.json only its path goes along: mail programs cut what is longer."""
    if not settings.REPORT_URL:
        return ""
    page = page if len(page) <= LONGEST else page.partition("?")[0]
    language = str(get_language())
    lines = [_("Page: %(page)s") % {"page": page}, _("Language: %(language)s") % {"language": language}]
    if fact:
        lines.append(_("About: %(fact)s") % {"fact": fact})
    lines += ["", _("What is wrong, and what says so?"), ""]
    values = {
        "title": _("Error: %(what)s") % {"what": fact or page},
        "text": "\r\n".join(lines),
        "page": page,
        "language": language,
        "fact": fact,
    }
    return str(settings.REPORT_URL.format(**{name: quote(value, safe="") for name, value in values.items()}))
