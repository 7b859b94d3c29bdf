from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catalog.ranking.frontier import Point, frontier


def test_a_model_that_another_beats_in_both_is_not_on_the_frontier() -> None:
    small, large, beaten = Point("small", 10, 50.0), Point("large", 100, 80.0), Point("beaten", 90, 40.0)
    assert frontier([large, beaten, small]) == (small, large)


def test_equals_stand_side_by_side_and_more_memory_for_the_same_score_does_not() -> None:
    one, twin, heavy = Point("a", 10, 50.0), Point("b", 10, 50.0), Point("c", 11, 50.0)
    assert frontier([heavy, twin, one]) == (one, twin)


points = st.builds(Point, st.text(max_size=3), st.integers(1, 6), st.sampled_from([1.0, 2.0, 3.0, 4.0]))


@given(st.lists(points, max_size=12))
def test_a_point_is_on_the_frontier_exactly_if_nobody_beats_it(drawn: list[Point]) -> None:
    def beaten(point: Point) -> bool:
        return any(
            other.memory_bytes <= point.memory_bytes
            and other.score >= point.score
            and (other.memory_bytes, other.score) != (point.memory_bytes, point.score)
            for other in drawn
        )

    found = frontier(drawn)
    assert sorted(found, key=repr) == sorted((point for point in drawn if not beaten(point)), key=repr)
    assert [point.memory_bytes for point in found] == sorted(point.memory_bytes for point in found)
