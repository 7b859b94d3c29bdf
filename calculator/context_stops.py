"""The round context lengths that the slider, the tables and the charts share."""

from __future__ import annotations

SMALLEST = 1024
"""Shortest stop. 1K of context is 1,024 tokens everywhere."""


def context_stops(max_tokens: int) -> tuple[int, ...]:
    """Powers of two from 1K up to the model's own maximum, which is always the last stop.

    >>> context_stops(40_960)
    (1024, 2048, 4096, 8192, 16384, 32768, 40960)
    >>> context_stops(512)
    (512,)
    """
    stops = []
    stop = SMALLEST
    while stop < max_tokens:
        stops.append(stop)
        stop *= 2
    return (*stops, max_tokens)


def nearest_stop(tokens: int, stops: tuple[int, ...]) -> int:
    """Index of the stop closest to `tokens` on the logarithmic scale."""
    return min(range(len(stops)), key=lambda index: max(tokens, stops[index]) / min(tokens, stops[index]))


def table_stops(max_tokens: int, most: int = 6) -> tuple[int, ...]:
    """At most `most` stops spread over the range, the last one included: the columns of a table."""
    stops = context_stops(max_tokens)
    if len(stops) <= most:
        return stops
    last = len(stops) - 1
    return tuple(stops[round(index * last / (most - 1))] for index in range(most))
