"""Whoever computes many models holds none of those before."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

from calculator.accuracy.references import reference_shape
from calculator.architecture.forgetting import forget_shapes
from calculator.memory import default_workload, estimate
from calculator.memory.engines import engines_for


def test_no_cache_holds_a_shape_that_was_asked_about() -> None:
    shape = replace(reference_shape("llama-3-1-8b-instruct"), vocab_size=4096)
    before = estimate(shape, default_workload(shape))
    assert len(engines_for(shape)) > 1
    asked = weakref.ref(shape)
    del shape
    assert asked() is not None  # in some cache
    forget_shapes()
    gc.collect()
    assert asked() is None
    shape = replace(reference_shape("llama-3-1-8b-instruct"), vocab_size=4096)
    assert estimate(shape, default_workload(shape)) == before


def test_tables_that_are_read_once_stay() -> None:
    """As the files that are shipped with the calculator: each would be read again for every model."""
    shape = reference_shape("llama-3-1-8b-instruct")
    forget_shapes()
    assert reference_shape("llama-3-1-8b-instruct") is shape
