"""The compute buffers: the graph as llama.cpp builds it, ggml's scheduler and its allocator, without the memory."""

from calculator.memory.llama_cpp.graph.builder import NotTracedError, Setting
from calculator.memory.llama_cpp.graph.kept import keep_in
from calculator.memory.llama_cpp.graph.layout import Peak
from calculator.memory.llama_cpp.graph.specs import cache_kinds
from calculator.memory.llama_cpp.graph.trace import (
    Handed,
    attends_at_home,
    copies_of,
    curves_learned,
    told_peaks,
    trace,
)

__all__ = [
    "Handed",
    "NotTracedError",
    "Peak",
    "Setting",
    "attends_at_home",
    "cache_kinds",
    "copies_of",
    "curves_learned",
    "keep_in",
    "told_peaks",
    "trace",
]
