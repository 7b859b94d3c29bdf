"""One search over models, families, organisations, accelerators and benchmarks, for every page that looks a name up."""

from catalog.search.among import Among
from catalog.search.entries import KINDS, Entry, Kind
from catalog.search.finding import Answer, Hit, find, found_models, found_rows, nearest

__all__ = ["KINDS", "Among", "Answer", "Entry", "Hit", "Kind", "find", "found_models", "found_rows", "nearest"]
