"""What another server's silence means for a process: it is asked seldom meanwhile, and that is said seldom."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from time import monotonic

SAID_AGAIN_S = 60.0
log = logging.getLogger(__name__)


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
            log.warning("%s does not answer; %s until it does (%s).", self.name, self.meanwhile, error)

    def answered(self) -> None:
        if self.since is not None:
            log.warning("%s answers again after %.0f s.", self.name, monotonic() - self.since)
            self.since = None
