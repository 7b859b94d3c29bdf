"""The chart of index against memory: the best are named, nothing lies outside, few points are no chart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from catalog.leaderboards import scatter as drawing
from catalog.leaderboards import spots
from catalog.leaderboards.scatter import BOTTOM, CELL, LEFT, MOST_LINKED, RIGHT, TOP, Scatter
from catalog.leaderboards.spots import Spots
from catalog.models import LanguageModel

GIB = 2**30
Row = tuple[str, int, float]


def row(slug: str, gib: float, index: float) -> Row:
    return slug, int(gib * GIB), index


def scatter(rows: Sequence[Row], cards: tuple[str, int] | None = None) -> Scatter | None:
    def told(keys: Sequence[int]) -> dict[int, LanguageModel]:
        return {key: LanguageModel(slug=rows[key][0], name=rows[key][0]) for key in keys}

    return drawing.scatter(spots_of(rows), told, cards)


def spots_of(rows: Sequence[Row]) -> Spots:
    return spots.spots_of(range(len(rows)), [size for _, size, _ in rows], [1] * len(rows), [at for *_, at in rows])


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


def corners(path: str) -> set[tuple[int, int]]:
    """Where a path of strokes has dots."""
    strokes = [tuple(map(int, stroke)) for stroke in re.findall(r"M(\d+) (\d+)h(\d+)", path)]
    assert "".join(f"M{x} {y}h{across}" for x, y, across in strokes) == path
    return {(at, y) for x, y, across in strokes for at in range(x, x + across + 1, CELL)}


def test_who_was_deleted_meanwhile_is_left_out() -> None:
    def told(keys: Sequence[int]) -> dict[int, LanguageModel]:
        return {key: LanguageModel(slug=FIELD[key][0], name=FIELD[key][0]) for key in keys if FIELD[key][0] not in "ce"}

    field = spots_of(FIELD)
    found = drawing.scatter(field, told)
    assert found
    assert [best.slug for best in found.best] == ["f", "a", "d"]
    assert [other.slug for other in found.others] == ["b"]
    assert drawing.scatter(field, lambda keys: {}) is None


def test_many_points_are_no_links() -> None:
    many = [row(f"m{place}", 1 + place / 10, 20 + place % 7) for place in range(MOST_LINKED + 1)]
    few = scatter(many[:MOST_LINKED], ("RTX 4090", 24 * GIB))
    found = scatter(many, ("RTX 4090", 24 * GIB))
    assert few
    assert found
    assert found.others == ()
    assert (few.dots, few.dots_over) == ("", "")
    drawn = {over: corners(path) for over, path in ((False, found.dots), (True, found.dots_over))}
    for other in few.others:  # the axes are the same, and each has a dot beside its place
        assert any(abs(x - other.x) <= CELL / 2 and abs(y - other.y) <= CELL / 2 for x, y in drawn[other.over])
    assert all(LEFT <= x <= RIGHT and TOP <= y <= BOTTOM for x, y in drawn[False] | drawn[True])


def test_a_narrowed_chart_is_that_of_its_models_alone() -> None:
    """Also where the axes are those of another choice, whose corners are kept."""
    rows = [row(f"m{place}", 0.3 + place * 127 / 3000, place * 37 % 901 / 10) for place in range(3000)]
    whole = spots_of(rows)
    for chosen in (range(0, 3000, 2), range(1, 3000, 3), range(900), range(700, 2400), range(0, 3000, 9), range(3000)):

        def told(keys: Sequence[int]) -> dict[int, LanguageModel]:
            return {key: LanguageModel(slug=rows[key][0], name=rows[key][0]) for key in keys}

        for cards in (None, ("RTX 4090", 24 * GIB)):
            narrowed = drawing.scatter(whole.where([place in chosen for place in range(3000)]), told, cards)
            assert narrowed
            assert narrowed.models == len(chosen)
            assert narrowed == scatter([rows[place] for place in chosen], cards)


def test_a_chart_ends_at_what_can_be_told_apart() -> None:
    """A field of as many models as the shipped catalogue has, and of a hundred times as many, of the same spread."""
    sizes = []
    for models in (600, 6_000, 60_000):
        found = scatter([row(f"m{place}", 1 + place * 127 / models, place * 37 % 901 / 10) for place in range(models)])
        assert found
        assert found.models == models
        sizes.append(len(found.dots))
    assert sizes[1] > sizes[0]
    assert sizes[2] < sizes[1]  # more of them touch, and fewer strokes say so
