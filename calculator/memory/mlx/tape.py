"""What Metal holds while a graph runs: mlx hands out memory far ahead of the GPU.

Source: mlx 0.32.4. An operation allocates its output when it is encoded, not when it runs. A command buffer keeps its
operations' inputs until it is done (`backend/metal/eval.cpp`, `eval`) and is closed after 50 operations or when the
arrays it touches pass 50 Mi numbers (`backend/metal/device.cpp`, `needs_commit`; 40 on chips that are neither Max nor
Ultra). Encoding waits only once more than ten are under way (`transforms.cpp`, `MAX_ACTIVE_TASKS`), so what eleven
buffers read is alive together, however small a layer is.

A model is a row of tapes, one a layer, and layers that are alike share theirs. Once the GPU lags behind by its eleven
buffers the same comes again with every few layers: such rounds are counted, not played.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

MOST_OPERATIONS = 50
MOST_NUMBERS = 51 * 2**20 - 1  # whole Mi are compared: `(buffer_sizes_ >> 20) > max_mb`
IN_FLIGHT = 11
PAGE_BYTES = 16384
"""What is larger than a page is rounded up to whole ones (`backend/metal/allocator.cpp`, `malloc`)."""

UNMADE, BEFORE = -1, -2
"""In place of the command buffer that touched an array last: it is not there yet; it was there before."""


@dataclass(slots=True)
class Tape:
    """Operations in the order in which they are encoded. Arrays are known by their place in `sizes`.

    `entering` is what the tape before left, `leaving` what the next one gets, `borrowed` are caches of another tape.
    """

    sizes: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    operations: list[tuple[tuple[int, ...], int, int, int]] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    retained: list[int] = field(default_factory=list)
    borrowed: list[int] = field(default_factory=list)
    entering: int | None = None
    leaving: int | None = None

    def array(self, numbers: int, width: int) -> int:
        size = numbers * width
        self.sizes.append(-(-size // PAGE_BYTES) * PAGE_BYTES if size > PAGE_BYTES else size)
        self.numbers.append(numbers)
        return len(self.sizes) - 1

    def enter(self, numbers: int, width: int) -> int:
        self.entering = self.array(numbers, width)
        return self.entering

    def borrow(self, other: Tape) -> tuple[int, ...]:
        """The caches of another tape, in their order."""
        for index in other.kept:
            self.borrowed.append(len(self.sizes))
            self.sizes.append(other.sizes[index])
            self.numbers.append(other.numbers[index])
        return tuple(self.borrowed)

    def hold(self, numbers: int, width: int) -> int:
        """An array that is there before; it goes when the last operation that reads it is done."""
        index = self.array(numbers, width)
        self.held.append(index)
        return index

    def keep(self, *arrays: int) -> None:
        """Arrays that stay when all is done: the caches."""
        self.kept += arrays

    def retain(self, array: int) -> None:
        """An array that something evaluated last of all still reads: a state of a convolution is cut from its input
        once every layer is done, as nothing else asks for it (mlx, `transforms.cpp`, `eval_impl`)."""
        self.retained.append(array)

    def run(self, *inputs: int, numbers: int, width: int, weights: int = 0, times: int = 1) -> int:
        """An operation with an output of its own, dispatched `times` times; `weights` are numbers it reads beside."""
        output = self.array(numbers, width)
        self.operations.append((inputs, output, weights, times))
        return output

    def over(self, array: int, *inputs: int, times: int = 1) -> int:
        """An operation whose output takes the memory of `array`, which nothing else reads."""
        self.operations.append(((array, *inputs), array, 0, times))
        return array

    @property
    def held_bytes(self) -> int:
        return sum(self.sizes[index] for index in self.held)

    @property
    def kept_bytes(self) -> int:
        return sum(self.sizes[index] for index in self.kept)


@dataclass(frozen=True, slots=True)
class Step:
    """One tape of a row; `source` is the step whose caches it borrows."""

    tape: Tape
    source: int | None = None


def peak_bytes(steps: Sequence[Step]) -> int:
    """The most bytes that are alive at once, those that were there before and that stay included."""
    player = _Player(sum(step.tape.held_bytes for step in steps))
    lends = any(step.source is not None for step in steps)  # which buffer touched a cache bears on what comes, too
    seen: dict[tuple[int, tuple[int, ...]], tuple[int, int]] = {}
    peaks: dict[int, int] = {}
    index = 0
    while index < len(steps):
        state = id(steps[index].tape), player.state()
        before, alive = (index, 0) if lends else seen.setdefault(state, (index, player.alive))
        rounds = _rounds(steps, before, index) if before < index else 0
        if rounds:
            grown = player.alive - alive
            peak = max(peaks[number] for number in range(before, index) if number in peaks)
            peaks[index] = player.skip(peak + grown + max(grown, 0) * (rounds - 1), grown * rounds)
            index += rounds * (index - before)
        else:
            seen[state] = index, player.alive
            peaks[index] = player.play(index, steps[index])
            index += 1
    return player.most


def _rounds(steps: Sequence[Step], first: int, index: int) -> int:
    """How many more times the steps from `first` to `index` come, one after another."""
    end = index
    while end < len(steps) and steps[end].tape is steps[end - (index - first)].tape:
        end += 1
    return (end - index) // (index - first)


class _Player:
    """What Metal holds at one moment, and the command buffers that are not done."""

    __slots__ = ("alive", "buffer", "caches", "dispatches", "freed", "most", "pending", "returned", "touched", "weight")

    def __init__(self, alive: int) -> None:
        self.alive = self.most = alive
        self.buffer = self.weight = self.dispatches = self.returned = 0
        self.pending: deque[int] = deque()  # what each command buffer under way gives back
        self.touched = False  # whether the open buffer touches what the last tape left
        self.caches: dict[int, list[int]] = {}  # by step: the buffers that touched its caches last
        self.freed: dict[int, list[int]] = {}  # by tape

    def state(self) -> tuple[int, ...]:
        """All that bears on what comes, but for the bytes that are alive."""
        return (self.touched, self.weight, self.dispatches, self.returned, *self.pending)

    def skip(self, peak: int, grown: int) -> int:
        self.most = max(self.most, peak)
        self.alive += grown
        return peak

    def play(self, number: int, step: Step) -> int:
        """Encode one tape; the most that is alive meanwhile."""
        tape = step.tape
        freed = self.freed.get(id(tape))
        if freed is None:
            freed = self.freed[id(tape)] = _given_back(tape)
        touched = self._touched(step)
        peak = self._encode(tape, touched, freed)
        self.most = max(self.most, peak)
        if tape.leaving is not None:
            self.touched = touched[tape.leaving] == self.buffer
        self.caches[number] = [touched[index] for index in tape.kept]
        if step.source is not None:
            self.caches[step.source] = [touched[index] for index in tape.borrowed]
        return peak

    def _touched(self, step: Step) -> list[int]:
        tape = step.tape
        touched = [UNMADE] * len(tape.sizes)
        for index in tape.held:
            touched[index] = BEFORE
        if tape.entering is not None:
            touched[tape.entering] = self.buffer if self.touched else BEFORE
        if step.source is not None:
            for index, last in zip(tape.borrowed, self.caches[step.source], strict=True):
                touched[index] = last
        return touched

    def _encode(self, tape: Tape, touched: list[int], freed: list[int]) -> int:
        sizes, numbers = tape.sizes, tape.numbers
        alive, peak, buffer, returned = self.alive, self.alive, self.buffer, self.returned
        weight, dispatches = self.weight, self.dispatches
        for (inputs, output, weights, times), given in zip(tape.operations, freed, strict=True):
            if touched[output] == UNMADE:
                alive += sizes[output]
                peak = max(peak, alive)
            for index in (*inputs, output):
                if touched[index] != buffer:
                    touched[index] = buffer
                    weight += numbers[index]
            weight += weights
            dispatches += times
            returned += given
            if dispatches > MOST_OPERATIONS or weight > MOST_NUMBERS:
                self.pending.append(returned)
                buffer += 1
                if len(self.pending) == IN_FLIGHT:
                    alive -= self.pending.popleft()
                weight = dispatches = returned = 0
        self.alive, self.buffer, self.returned = alive, buffer, returned
        self.weight, self.dispatches = weight, dispatches
        return peak


def _given_back(tape: Tape) -> list[int]:
    """Bytes of the arrays that no operation after this one reads, by operation."""
    stays = bytearray(len(tape.sizes))
    for index in (*tape.kept, *tape.retained, *tape.borrowed):
        stays[index] = 1
    if tape.leaving is not None:
        stays[tape.leaving] = 1
    given = [0] * len(tape.operations)
    for number in range(len(tape.operations) - 1, -1, -1):
        inputs, output, *_rest = tape.operations[number]
        for index in (*inputs, output):
            if not stays[index]:
                stays[index] = 1
                given[number] += tape.sizes[index]
    return given
