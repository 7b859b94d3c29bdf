"""The compute buffer of a card: the graph as llama.cpp builds it, and ggml's allocator run over it without memory."""

from calculator.memory.llama_cpp.graph.builder import NotTracedError, Setting
from calculator.memory.llama_cpp.graph.layout import Peak
from calculator.memory.llama_cpp.graph.specs import cache_kinds
from calculator.memory.llama_cpp.graph.trace import Share, deepstack, trace

__all__ = ["NotTracedError", "Peak", "Setting", "Share", "cache_kinds", "deepstack", "trace"]
