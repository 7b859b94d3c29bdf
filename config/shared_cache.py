"""Redis as a cache of all processes, without which the site serves too: from a cache of each process, as without Redis.

All that is kept lies under a key that says what it was made from (`catalog.versions`), so the two need not agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.redis import RedisCache
from redis import RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.kept_in_memory import InMemory
from config.outages import Outage

TIMEOUT_S = 0.5  # a page that is made anew takes less
REST_S = 5.0  # that long nobody asks a Redis that did not answer
# Tried once more, at once: a connection that was kept may be one to a Redis that has restarted since.
POOL = {
    "socket_timeout": TIMEOUT_S,
    "socket_connect_timeout": TIMEOUT_S,
    "retry": Retry(NoBackoff(), 1),
}
OUTAGE = Outage(  # one address is configured for all caches
    "Redis", "each process keeps its own cache", trying_s=REST_S, rest_s=REST_S
)


def _or_own(name: str) -> Callable[..., Any]:
    """Redis' answer to the method `name`, or where it does not answer that of the process' own cache."""
    of_redis, own = getattr(RedisCache, name), getattr(InMemory, name)

    def method(self: SharedCache, *args: Any, **kwargs: Any) -> Any:
        if not OUTAGE.rests():
            try:
                answer = of_redis(self, *args, **kwargs)
            except (RedisError, OSError) as error:
                OUTAGE.failed(error)
            else:
                OUTAGE.answered()
                return answer
        return own(self.own, *args, **kwargs)

    return method


class SharedCache(RedisCache):
    """LOCATION is Redis' address; KEY_PREFIX names the cache in Redis and that of the process."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params | {"OPTIONS": POOL})
        self.own: BaseCache = InMemory(params["KEY_PREFIX"], params)

    def answers(self) -> bool:
        """Asked of Redis now."""
        try:
            self._cache.get_client().ping()
        except (RedisError, OSError) as error:
            OUTAGE.failed(error)
            return False
        OUTAGE.answered()
        return True

    add = _or_own("add")
    get = _or_own("get")
    set = _or_own("set")
    touch = _or_own("touch")
    delete = _or_own("delete")
    get_many = _or_own("get_many")
    has_key = _or_own("has_key")
    incr = _or_own("incr")
    set_many = _or_own("set_many")
    delete_many = _or_own("delete_many")
    clear = _or_own("clear")
