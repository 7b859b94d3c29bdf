"""What Django keeps of the request at hand, kept for threads alone.

Django asks asgiref's `Local`, which serves coroutines too, for the language and the addresses of a request: some 1,400
calls for one page, and each takes a lock that all threads of a worker share. Here a request is answered by one thread
from beginning to end, which is what Python's own `threading.local` is for.
"""

from __future__ import annotations

from threading import local

from django.urls import base
from django.utils.translation import trans_real

KEPT = ((trans_real, "_active"), (base, "_prefixes"), (base, "_urlconfs"))


def keep_in_threads() -> None:
    """For a server that answers in threads, before it does. Raises AttributeError where Django keeps them elsewhere."""
    for module, name in KEPT:
        getattr(module, name)
        setattr(module, name, local())


def catalogue() -> object:
    """The catalogue of the thread's language, of which Django has one for each: asked for sooner than its name. None
    where no language was chosen."""
    return getattr(trans_real._active, "value", None)  # type: ignore[attr-defined]
