"""One search over models, families, organisations, accelerators and benchmarks, for every page that looks a name up."""

from catalog.search.entries import KINDS, Entry, Key, Kind
from catalog.search.finding import Answer, Hit, find, nearest
from catalog.search.rows import BestFirst, found, keys
from catalog.search.wishes import Wish, wish

__all__ = [
    "KINDS",
    "Answer",
    "BestFirst",
    "Entry",
    "Hit",
    "Key",
    "Kind",
    "Wish",
    "find",
    "found",
    "keys",
    "nearest",
    "wish",
]
