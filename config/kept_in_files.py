"""A cache in files for which one that is damaged, as a machine may leave it that lost its power, is one that is not
there: it holds copies alone, and a page that needs one works it out anew.

Django's lists all files at each write, to see whether they are too many: with 3,000 that takes as long as an answer.
Here one write in `CULLED_EVERY` does where many may lie there, so that some more than `MAX_ENTRIES` may for a while.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from random import randrange
from typing import Any

from django.core.cache.backends.filebased import FileBasedCache

log = logging.getLogger(__name__)

CULLED_EVERY = 50


class InFiles(FileBasedCache):
    """Only whoever runs the site may write these files: they are unpickled."""

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except OSError:  # there may be no such folder, or no right to read it, which is another's to judge
            raise
        except Exception as error:  # whatever unpacking and unpickling raise of bytes that nobody wrote
            log.warning("A kept file is damaged and is left out (%s: %s).", type(error).__name__, error)
            with suppress(OSError):  # where nothing may be written it stays
                self.delete(key, version)
            return default

    def _cull(self) -> None:
        few = self._max_entries < CULLED_EVERY
        if few or randrange(CULLED_EVERY) == 0:  # noqa: S311 (nobody gains by guessing it)
            super()._cull()  # type: ignore[misc]
