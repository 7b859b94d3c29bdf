"""Models side by side: which were asked for, and the rows of the table in which they stand."""

from catalog.comparison.choice import MOST, choose
from catalog.comparison.entries import facts, specifications
from catalog.comparison.needs import memory
from catalog.comparison.results import ranks, scores

__all__ = ["MOST", "choose", "facts", "memory", "ranks", "scores", "specifications"]
