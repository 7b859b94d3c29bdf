"""Visitors who ask on and on, and remember what they got: of each request its time, how long it took, and its end."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count, cycle
from threading import Event, Thread
from typing import NamedTuple

from tests.servers.daemons import PATIENCE_S


class Seen(NamedTuple):
    at_s: float
    took_s: float
    end: str
    """A status, `lost: <why>`, or `sent again`: a kept connection was closed before an answer, whereupon a proxy, too,
    asks once more (nginx: `proxy_next_upstream error`)."""


class Readers:
    def __init__(self, port: int, paths: Sequence[str], fresh: int = 2, kept: int = 2, rest_s: float = 0.002) -> None:
        """`fresh` make a connection for each request, `kept` keep theirs. `{}` in a path is another each time."""
        self.port, self.paths, self.rest_s = port, paths, rest_s
        self.seen: list[Seen] = []
        self.began, self.done, self.numbers = time.monotonic(), Event(), count(1)
        turns = [False] * fresh + [True] * kept
        self.threads = [Thread(target=self._read, args=(number, kept)) for number, kept in enumerate(turns)]

    @contextmanager
    def reading(self) -> Iterator[Readers]:
        for thread in self.threads:
            thread.start()
        try:
            yield self
        finally:
            self.done.set()
            for thread in self.threads:
                thread.join(PATIENCE_S)

    def now_s(self) -> float:
        return time.monotonic() - self.began

    def ends(self, since_s: float = 0, until_s: float = float("inf")) -> Counter[str]:
        """Of the requests that began meanwhile."""
        return Counter(each.end for each in self.seen if since_s <= each.at_s < until_s)

    def longest_s(self) -> float:
        return max(each.took_s for each in self.seen)

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def _read(self, number: int, kept: bool) -> None:
        connection, fresh = self._connection(), True
        for path in _from(self.paths, number):
            if self.done.is_set():
                break
            start = time.monotonic()
            try:
                connection.request("GET", path.format(next(self.numbers)))
                answer = connection.getresponse()
                answer.read()
                end, fresh = str(answer.status), not kept or answer.will_close
            except (OSError, http.client.HTTPException) as error:
                end, fresh = "sent again" if not fresh else f"lost: {type(error).__name__}", True
            self.seen.append(Seen(start - self.began, time.monotonic() - start, end))
            if fresh:
                connection.close()
                connection = self._connection()
            time.sleep(self.rest_s)
        connection.close()


def _from(paths: Sequence[str], number: int) -> Iterable[str]:
    """Over and over, each reader beginning elsewhere."""
    first = number % len(paths)
    return cycle([*paths[first:], *paths[:first]])


def quantile(times_s: Iterable[float], part: float) -> float:
    """Milliseconds."""
    ordered = sorted(times_s)
    return 1000 * ordered[min(int(part * len(ordered)), len(ordered) - 1)]
