"""What Metal holds while operations are encoded ahead of it: small tapes whose peak can be added up by hand."""

from __future__ import annotations

from copy import deepcopy
from random import Random

import pytest

from calculator.memory.mlx.compute import Run, steps_of
from calculator.memory.mlx.tape import IN_FLIGHT, MOST_NUMBERS, MOST_OPERATIONS, Step, Tape, peak_bytes
from tests.calculator.memory.shapes import catalogued, published

MI = 2**20


def chain(length: int, numbers: int) -> Tape:
    """Each operation reads what the one before it made."""
    tape = Tape()
    array = tape.run(numbers=numbers, width=2)
    for _ in range(length - 1):
        array = tape.run(array, numbers=numbers, width=2)
    return tape


def test_all_is_alive_while_nothing_is_committed() -> None:
    assert peak_bytes([Step(chain(10, MI))]) == 10 * 2 * MI


def test_a_buffer_is_closed_by_its_size_and_eleven_are_alive() -> None:
    """Each operation fills a command buffer alone. Its input is given back once ten later ones have been encoded."""
    large = MOST_NUMBERS + 1
    tape = chain(40, large)
    assert (
        peak_bytes([Step(tape)]) == (IN_FLIGHT + 1) * tape.sizes[0]
    )  # what eleven read, and what the last of them makes


def test_a_buffer_is_closed_by_the_number_of_its_operations() -> None:
    tape = chain(40 * (MOST_OPERATIONS + 1), 16_384)
    assert peak_bytes([Step(tape)]) == (IN_FLIGHT * (MOST_OPERATIONS + 1) + 1) * 2 * 16_384


def test_weights_close_a_buffer_and_are_no_allocation() -> None:
    tape = Tape()
    array = tape.run(numbers=MI, width=2)
    for _ in range(40):
        array = tape.run(array, numbers=MI, width=2, weights=MOST_NUMBERS)
    assert peak_bytes([Step(tape)]) == (IN_FLIGHT + 1) * 2 * MI


def test_an_elementwise_result_takes_the_memory_of_its_input() -> None:
    tape = Tape()
    array = tape.run(numbers=MI, width=2)
    for _ in range(5):
        tape.over(array)
    assert peak_bytes([Step(tape)]) == 2 * MI


def test_caches_stay_and_a_longer_one_lies_beside_the_old() -> None:
    tape = Tape()
    old = tape.hold(MI, 2)
    new = tape.run(old, numbers=2 * MI, width=2)
    tape.keep(new)
    assert peak_bytes([Step(tape)]) == 2 * MI + 4 * MI


def test_what_is_retained_lasts_to_the_end() -> None:
    """The input of a convolution, from which a state is cut last of all."""
    tape, large = Tape(), MOST_NUMBERS + 1
    for _ in range(40):
        array = tape.run(numbers=large, width=2)
        tape.retain(array)
        tape.run(array, numbers=0, width=2)
    assert peak_bytes([Step(tape)]) == 40 * tape.sizes[0]


def test_small_arrays_are_not_rounded_up_to_pages() -> None:
    tape = Tape()
    small, large = tape.run(numbers=100, width=2), tape.run(numbers=10_000, width=2)
    assert (tape.sizes[small], tape.sizes[large]) == (200, 2 * 16_384)


def layer(random: Random) -> Tape:
    """Some operations on what the layer before left, a cache among them, all of random sizes."""
    tape = Tape()
    x = normed = tape.enter(MI, 2)
    for _ in range(random.randrange(1, 60)):
        made = random.choice([MI // 64, MI, 20 * MI])
        normed = tape.run(
            random.choice([x, normed]), numbers=made, width=2, weights=random.choice([0, 8 * MI, 60 * MI])
        )
    old = tape.hold(random.choice([MI, 4 * MI]), 2)
    tape.keep(tape.run(old, normed, numbers=random.choice([MI // 2, 5 * MI]), width=2))
    tape.leaving = tape.over(tape.run(normed, numbers=MI, width=2), x)
    return tape


@pytest.mark.parametrize("seed", range(40))
def test_rounds_that_are_counted_are_as_if_played(seed: int) -> None:
    """Copies of a tape are alike and not the same, so that all of them are played."""
    random = Random(seed)
    first = Tape()
    first.leaving = first.run(numbers=MI, width=2)
    kinds = [layer(random) for _ in range(random.randrange(1, 4))]
    row = [first, *(random.choice(kinds) for _ in range(random.randrange(4))), *kinds * random.randrange(1, 30)]
    assert peak_bytes([Step(tape) for tape in row]) == peak_bytes([Step(deepcopy(tape)) for tape in row])


MODELS = ["llama-3-1-8b-instruct", "gemma-3-27b-it", "deepseek-v3", "qwen3-8-27b", "gemma-4-e2b-it"]


@pytest.mark.parametrize("name", [*MODELS, "moonshot/kimi-k3", "nvidia-nemotron-3-super-120b-a12b-bf16", "lfm2-1-2b"])
@pytest.mark.parametrize("past", [0, 30_720])
def test_rounds_of_models_are_as_if_played(name: str, past: int) -> None:
    run = Run("4bit", "bf16", tokens=past + 2048, sequences=1, together=1, piece=2048, width=2)
    steps = steps_of(catalogued(name) if "/" in name else published(name), run, past, 2048, 1)
    assert peak_bytes(steps) == peak_bytes([Step(deepcopy(step.tape), step.source) for step in steps])
    for step in steps[1:-1]:
        tape = step.tape
        assert tape.entering is not None
        assert tape.leaving is not None
        assert tape.sizes[tape.entering] == tape.sizes[tape.leaving]  # what a layer adds to is as wide as before
