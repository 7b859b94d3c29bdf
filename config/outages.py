"""What another server's silence means for a process: it is asked seldom meanwhile, and that is said seldom."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

SAID_AGAIN_S = 60.0
WHILE_CONNECTING = "This happened while a connection to the database was opened."
log = logging.getLogger(__name__)


@contextmanager
def connecting() -> Iterator[None]:
    """What is raised meanwhile bears a note of it: `could_not_connect` tells it from faults of what was asked."""
    try:
        yield
    except Exception as error:
        error.add_note(WHILE_CONNECTING)
        raise


def could_not_connect(error: BaseException | None) -> bool:
    """Django raises an error of its own, with that of the database's module as its cause."""
    return error is not None and any(
        WHILE_CONNECTING in getattr(each, "__notes__", ()) for each in (error, error.__cause__)
    )


def in_a_line(error: BaseException | None) -> str:
    """libpq says a thing in several."""
    return " ".join(str(error).split())


@dataclass
class Outage:
    """Whether `name` answers, as far as this process knows."""

    name: str
    meanwhile: str
    """What is done without it, for the log."""
    trying_s: float
    """How long one may be waiting for an answer, while nobody else asks."""
    rest_s: float
    """How long nobody asks after one got no answer."""
    since: float | None = field(default=None, init=False)
    _rests_until: float = field(default=0.0, init=False)
    _said_at: float = field(default=0.0, init=False)

    def rests(self) -> bool:
        """Whether to do without it. False to one of many who come once it has rested: that one tries."""
        now = monotonic()
        if self.since is None:
            return False
        if now < self._rests_until:
            return True
        self._rests_until = now + self.trying_s
        return False

    def failed(self, error: Exception) -> None:
        now = monotonic()
        if self.since is None:
            self.since, self._said_at = now, now - SAID_AGAIN_S
        self._rests_until = now + self.rest_s
        if now - self._said_at >= SAID_AGAIN_S:
            self._said_at = now
            log.warning("%s does not answer; %s until it does (%s).", self.name, self.meanwhile, in_a_line(error))

    def answered(self) -> None:
        if (silent_s := self._end()) is not None:
            log.warning("%s answers again after %.0f s.", self.name, silent_s)

    def refused(self, error: Exception) -> None:
        """It said no at once, so there is nothing to wait for: whoever comes may ask."""
        if (silent_s := self._end()) is not None:
            log.warning("%s refuses, after %.0f s of silence (%s).", self.name, silent_s, in_a_line(error))

    def _end(self) -> float | None:
        """How long it lasted; None where another thread has ended it, or nothing was amiss."""
        since, self.since = self.since, None
        return None if since is None else monotonic() - since
