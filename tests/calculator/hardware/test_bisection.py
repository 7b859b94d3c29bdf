"""The quicker searches find what bisection finds."""

from __future__ import annotations

import pytest

from calculator.hardware.bisection import largest, largest_near, largest_with_room


@pytest.mark.parametrize("jump", [0, 3, 40])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_the_largest_with_room_is_that_of_bisection(step: int, jump: int) -> None:
    """Room that falls along a line, along a curve, and by leaps."""
    for most in (0, 1, 2, 57, 4096):
        for last in (-1, 0, 1, 39, 40, 41, most // 2, most - 1):

            def room(at: int, last: int = last) -> int:
                return step * (last - at) - (9999 if jump and at > jump else 0) - (at * at // 64 if at > last else 0)

            right = largest(lambda at: room(at) >= 0, most)
            for first in (1, 4, 60):
                assert largest_with_room(room, most, min(-1, room(most + 1)), first) == right


@pytest.mark.parametrize("wave", [1, 9, 1000])
@pytest.mark.parametrize("work", [0, 5, 400, 10**6])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_the_largest_near_what_is_held_at_rest_is_that_of_bisection(step: int, work: int, wave: int) -> None:
    """What works takes as much for every n (no wave as long), or more for each, or by leaps."""
    for most in (0, 1, 2, 57, 193):
        for last in (-1, 0, 1, 39, 40, 41, most // 2, most - 1, most):
            asked: list[int] = []

            def at_most(at: int, last: int = last) -> int:
                return step * (last - at)

            def room(at: int, last: int = last, asked: list[int] = asked) -> int:
                asked.append(at)
                return step * (last - at) - work * (1 + at // wave)

            found = largest_near(room, most, at_most)
            assert len(asked) <= (3 if wave > most else 4 + 2 * most.bit_length())
            assert found == largest(lambda at: room(at) >= 0, most)
