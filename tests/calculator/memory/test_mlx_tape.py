"""What Metal holds while operations are encoded ahead of it: small tapes whose peak can be added up by hand."""

from __future__ import annotations

from calculator.memory.mlx.tape import IN_FLIGHT, MOST_NUMBERS, MOST_OPERATIONS, Tape, peak_bytes

MI = 2**20


def chain(length: int, numbers: int) -> Tape:
    """Each operation reads what the one before it made."""
    tape = Tape()
    array = tape.run(numbers=numbers, width=2)
    for _ in range(length - 1):
        array = tape.run(array, numbers=numbers, width=2)
    return tape


def test_all_is_alive_while_nothing_is_committed() -> None:
    assert peak_bytes(chain(10, MI)) == 10 * 2 * MI


def test_a_buffer_is_closed_by_its_size_and_eleven_are_alive() -> None:
    """Each operation fills a command buffer alone. Its input is given back once ten later ones have been encoded."""
    large = MOST_NUMBERS + 1
    tape = chain(40, large)
    assert peak_bytes(tape) == (IN_FLIGHT + 1) * tape.sizes[0]  # what eleven read, and what the last of them makes


def test_a_buffer_is_closed_by_the_number_of_its_operations() -> None:
    tape = chain(40 * (MOST_OPERATIONS + 1), 16_384)
    assert peak_bytes(tape) == (IN_FLIGHT * (MOST_OPERATIONS + 1) + 1) * 2 * 16_384


def test_weights_close_a_buffer_and_are_no_allocation() -> None:
    tape = Tape()
    array = tape.run(numbers=MI, width=2)
    for _ in range(40):
        array = tape.run(array, numbers=MI, width=2, weights=MOST_NUMBERS)
    assert peak_bytes(tape) == (IN_FLIGHT + 1) * 2 * MI


def test_an_elementwise_result_takes_the_memory_of_its_input() -> None:
    tape = Tape()
    array = tape.run(numbers=MI, width=2)
    for _ in range(5):
        tape.over(array)
    assert peak_bytes(tape) == 2 * MI


def test_caches_stay_and_a_longer_one_lies_beside_the_old() -> None:
    tape = Tape()
    old = tape.hold(MI, 2)
    new = tape.run(old, numbers=2 * MI, width=2)
    tape.keep(new)
    assert peak_bytes(tape) == 2 * MI + 4 * MI


def test_what_is_retained_lasts_to_the_end() -> None:
    """The input of a convolution, from which a state is cut last of all."""
    tape, large = Tape(), MOST_NUMBERS + 1
    for _ in range(40):
        array = tape.run(numbers=large, width=2)
        tape.retain(array)
        tape.run(array, numbers=0, width=2)
    assert peak_bytes(tape) == 40 * tape.sizes[0]


def test_small_arrays_are_not_rounded_up_to_pages() -> None:
    tape = Tape()
    small, large = tape.run(numbers=100, width=2), tape.run(numbers=10_000, width=2)
    assert (tape.sizes[small], tape.sizes[large]) == (200, 2 * 16_384)
