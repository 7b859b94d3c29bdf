"""What the checks found on each card, kept for the next start, and for editors who ask for what the files say.

They compute every model from its config, and find the same on the same card: a site that starts again with the files it
knows would wait ten seconds for that, and so would an editor.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

from django.core.cache import caches

from catalog import versions
from catalog.source.checks import EachOnce
from catalog.source.facts import Finding
from catalog.source.records import ModelRecord


class CheckedCards:
    """Under the release of the code, for all processes; where nothing can be written, every card is checked."""

    def __init__(self) -> None:
        self._key = versions.key("checked-cards")
        self._known: dict[str, list[dict[str, Any]]] = {}
        with suppress(Exception):  # a file that is damaged says nothing, and is written anew
            self._known = caches["checked"].get(self._key) or {}
        self._asked: dict[str, list[dict[str, Any]]] = {}
        self._check = EachOnce()

    def check(self, model: ModelRecord) -> list[Finding]:
        name = blake2b(repr(model.model_dump()).encode(errors="backslashreplace"), digest_size=16).hexdigest()
        found = self._known.get(name)
        if found is None:
            found = [asdict(finding) for finding in self._check(model)]
        self._asked[name] = found
        return [Finding(**finding) for finding in found]

    def keep(self) -> None:
        """Those that were asked for: what cards said before is forgotten."""
        if self._asked.keys() != self._known.keys():
            with suppress(OSError):
                caches["checked"].set(self._key, self._asked, timeout=None)
