"""What Metal holds while a graph runs: mlx hands out memory far ahead of the GPU.

Source: mlx 0.32.4. An operation allocates its output when it is encoded, not when it runs. A command buffer keeps its
operations' inputs until it is done (`backend/metal/eval.cpp`, `eval`) and is closed after 50 operations or when the
arrays it touches pass 50 Mi numbers (`backend/metal/device.cpp`, `needs_commit`; 40 on chips that are neither Max nor
Ultra). Encoding waits only once more than ten are under way (`transforms.cpp`, `MAX_ACTIVE_TASKS`), so what eleven
buffers read is alive together, however small a layer is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_OPERATIONS = 50
MOST_NUMBERS = 51 * 2**20 - 1  # whole Mi are compared: `(buffer_sizes_ >> 20) > max_mb`
IN_FLIGHT = 11
PAGE_BYTES = 16384
"""What is larger than a page is rounded up to whole ones (`backend/metal/allocator.cpp`, `malloc`)."""


@dataclass(slots=True)
class Tape:
    """Operations in the order in which they are encoded. Arrays are known by their place in `sizes`."""

    sizes: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    operations: list[tuple[tuple[int, ...], int, int, int]] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    kept: set[int] = field(default_factory=set)
    retained: set[int] = field(default_factory=set)

    def array(self, numbers: int, width: int) -> int:
        size = numbers * width
        self.sizes.append(-(-size // PAGE_BYTES) * PAGE_BYTES if size > PAGE_BYTES else size)
        self.numbers.append(numbers)
        return len(self.sizes) - 1

    def hold(self, numbers: int, width: int) -> int:
        """An array that is there before; it goes when the last operation that reads it is done."""
        index = self.array(numbers, width)
        self.held.append(index)
        return index

    def keep(self, *arrays: int) -> None:
        """Arrays that stay when all is done: the caches."""
        self.kept.update(arrays)

    def retain(self, array: int) -> None:
        """An array that something evaluated last of all still reads: a state of a convolution is cut from its input
        once every layer is done, as nothing else asks for it (mlx, `transforms.cpp`, `eval_impl`)."""
        self.kept.add(array)
        self.retained.add(array)

    def run(self, *inputs: int, numbers: int, width: int, weights: int = 0, times: int = 1) -> int:
        """An operation with an output of its own, dispatched `times` times; `weights` are numbers it reads beside."""
        output = self.array(numbers, width)
        self.operations.append((inputs, output, weights, times))
        return output

    def over(self, array: int, *inputs: int, times: int = 1) -> int:
        """An operation whose output takes the memory of `array`, which nothing else reads."""
        self.operations.append(((array, *inputs), array, 0, times))
        return array


def peak_bytes(tape: Tape) -> int:
    """The most bytes that are alive at once, those that were there before and that stay included."""
    sizes, numbers, operations = tape.sizes, tape.numbers, tape.operations
    given_back = _given_back(tape)
    touched = [-1] * len(sizes)  # the command buffer that read or wrote an array last
    for index in tape.held:
        touched[index] = -2
    alive = most = sum(sizes[index] for index in tape.held)
    done: list[int] = []  # what each command buffer gives back
    buffer = weight = dispatches = returned = 0
    for number, (inputs, output, weights, times) in enumerate(operations):
        if touched[output] == -1:
            alive += sizes[output]
            if alive > most:
                most = alive
        for index in (*inputs, output):
            if touched[index] != buffer:
                touched[index] = buffer
                weight += numbers[index]
        weight += weights
        dispatches += times
        returned += given_back[number]
        if dispatches > MOST_OPERATIONS or weight > MOST_NUMBERS:
            done.append(returned)
            buffer += 1
            if buffer >= IN_FLIGHT:
                alive -= done[buffer - IN_FLIGHT]
            weight = dispatches = returned = 0
    return most


def _given_back(tape: Tape) -> list[int]:
    """Bytes of the arrays that no operation after this one reads, by operation."""
    stays = bytearray(len(tape.sizes))
    for index in tape.kept:
        stays[index] = 1
    given = [0] * len(tape.operations)
    for number in range(len(tape.operations) - 1, -1, -1):
        inputs, output, *_rest = tape.operations[number]
        for index in (*inputs, output):
            if not stays[index]:
                stays[index] = 1
                given[number] += tape.sizes[index]
    return given
