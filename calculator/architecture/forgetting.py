"""What functions remember of shapes is let go, where many models are computed once each.

A process that serves pages asks the same few shapes again and again, and keeps what it was told of up to some
thousands. One that computes every model of a large catalogue asks each once: it would hold them for nothing, 0.2 MB
each.
"""

from __future__ import annotations

import sys
from functools import _lru_cache_wrapper

from calculator.architecture.known import forget_lately

PACKAGE = __name__.partition(".")[0]


def forget_shapes() -> None:
    """Empties every bounded cache of a function of this package. Tables that are read once (`functools.cache`) stay."""
    for name, module in list(sys.modules.items()):
        if name == PACKAGE or name.startswith(f"{PACKAGE}."):
            for kept in list(vars(module).values()):
                if isinstance(kept, _lru_cache_wrapper) and kept.cache_parameters()["maxsize"] is not None:
                    kept.cache_clear()
    forget_lately()
