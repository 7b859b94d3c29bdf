"""The chart of index against memory: the best are named, nothing lies outside, few points are no chart."""

from __future__ import annotations

import re
from typing import Any

from catalog.leaderboards.scatter import BOTTOM, LEFT, MOST_LINKED, RIGHT, TOP, scatter

GIB = 2**30


def row(slug: str, gib: float, index: float) -> dict[str, Any]:
    memory = int(gib * GIB)
    return {
        "model__slug": slug,
        "model__name": slug,
        "rank": 1,
        "index": index,
        "model__memory_8k_bytes": memory,
    }


FIELD = [row("a", 1, 20), row("b", 2, 15), row("c", 4, 50), row("d", 64, 90), row("e", 70, 60), row("f", 0.4, 3)]


def test_those_that_none_beats_are_named_by_rising_memory() -> None:
    found = scatter(FIELD)
    assert found
    assert [best.slug for best in found.best] == ["f", "a", "c", "d"]


def test_every_point_lies_inside_the_axes() -> None:
    found = scatter(FIELD)
    assert found
    points = [(best.x, best.y) for best in found.best] + [(other.x, other.y) for other in found.others]
    assert len(points) == len(FIELD)
    assert all(LEFT <= x <= RIGHT and TOP <= y <= BOTTOM for x, y in points)


def test_doubling_the_memory_is_the_same_step_everywhere() -> None:
    found = scatter(FIELD)
    assert found
    steps = {round(b.at - a.at, 0) for a, b in zip(found.memory_ticks, found.memory_ticks[1:], strict=False)}
    assert max(steps) - min(steps) <= 1


def test_fewer_than_two_points_are_no_chart() -> None:
    assert scatter([]) is None
    assert scatter(FIELD[:1]) is None


def test_a_card_is_a_line_and_what_needs_more_is_apart() -> None:
    found = scatter(FIELD, ("RTX 4090", 24 * GIB))
    assert found
    assert found.cards
    assert found.cards.inside
    assert [best.slug for best in found.best if best.over] == ["d"]
    assert [other.slug for other in found.others if other.over] == ["e"]
    assert [other.slug for other in found.others if not other.over] == ["b"]
    left = [best.x for best in found.best if not best.over]
    assert max(left) < found.cards.x < min(best.x for best in found.best if best.over)


def test_many_points_are_no_links() -> None:
    many = [row(f"m{place}", 1 + place / 10, 20 + place % 7) for place in range(MOST_LINKED + 1)]
    found = scatter(many, ("RTX 4090", 24 * GIB))
    assert found
    assert found.others == ()
    strokes = re.findall(r"M([\d.]+) ([\d.]+)h0", found.dots + found.dots_over)
    assert len(strokes) == len(many) - len(found.best)
    assert all(LEFT <= float(x) <= RIGHT and TOP <= float(y) <= BOTTOM for x, y in strokes)
    assert len(found.dots_over) > 0


def test_cards_with_more_than_any_model_needs_have_no_line() -> None:
    found = scatter(FIELD, ("8 × H100", 640 * GIB))
    assert found
    assert found.cards
    assert not found.cards.inside
    assert found.dots_over == ""


def test_without_cards_nothing_is_pale() -> None:
    found = scatter(FIELD)
    assert found
    assert found.cards is None
    assert found.dots_over == ""
    assert not any(best.over for best in found.best)
