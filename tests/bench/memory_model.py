"""Speed of the memory model: `make bench`. Each time stands beside the least that pure Python takes for the same sums.

The floor of an estimate is one multiplication and addition per kind of tensor and per layer, in a plain loop; the
floor of reading a config is `json.loads` of its text; the floor of a table is the floor of an estimate, once per
cell. All are measured in this run, so a ratio compares across machines where a time does not.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from functools import partial
from time import process_time

from calculator.accuracy.references import REFERENCE, reference_names, reference_shape
from calculator.architecture import Shape, parse_config_text, read_config
from calculator.context_stops import context_stops
from calculator.memory import ENGINES, Workload, estimate
from calculator.memory.engines import engines_for
from calculator.memory.tensors import tensor_groups

MODELS = ("llama-3-1-8b-instruct", "qwen3-235b-a22b", "deepseek-v3", "llama-4-maverick-instruct", "qwen3-5-35b-a3b")
CONTEXTS = context_stops(2**20)[:11]
SLID = (1_024, 2_000, 5_000, 12_000, 20_000, 32_768, 60_000, 131_072, 200_000, 262_144)


def seconds(run: Callable[[], object], *, in_all: float = 0.15) -> float:
    """Time of one call: the best of several batches, in processor time, so that whatever else runs does not count."""
    run()
    start = process_time()
    run()
    batch = max(1, int(in_all / 10 / max(process_time() - start, 1e-7)))
    times = []
    for _ in range(10):
        start = process_time()
        for _ in range(batch):
            run()
        times.append((process_time() - start) / batch)
    return min(times)


def seconds_fresh(text: bytes, run: Callable[[Shape], object], repeats: int = 20) -> float:
    """Time of one call on a shape of which nothing has been kept yet, reading it not included."""
    times = []
    for _ in range(repeats):
        fresh = read_config(parse_config_text(text))
        start = process_time()
        run(fresh)
        times.append(process_time() - start)
    return min(times)


def floor(shape: Shape) -> Callable[[], object]:
    sizes = [(group.elements, len(group.layers)) for group in tensor_groups(shape)]
    widths = [4096] * shape.num_layers

    def run() -> int:
        total = 0
        for elements, count in sizes:
            total += elements * count * 2
        for width in widths:
            total += width * 8192 * 2
        return total

    return run


def rows(name: str) -> list[tuple[str, float, float, float]]:
    """Label, time, floor and limit in seconds."""
    text = (REFERENCE / "configs" / f"{name}.json").read_bytes()
    shape = reference_shape(name)
    least = seconds(floor(shape))
    found = []
    for engine_name, engine in ENGINES.items():
        workload = Workload(engine=engine_name)
        formats = engine.weight_formats(shape)
        cells = [
            Workload(engine=engine_name, weight_format=form, context_tokens=tokens)
            for form in formats
            for tokens in CONTEXTS
        ]

        def whole(workload: Workload = workload) -> object:
            return estimate(read_config(parse_config_text(text)), workload)

        def first(fresh: Shape, workload: Workload = workload) -> object:
            return estimate(fresh, workload)

        def table(fresh: Shape, cells: list[Workload] = cells) -> object:
            return [estimate(fresh, cell) for cell in cells]

        found += [
            (f"{engine_name} first estimate of a shape", seconds_fresh(text, first), least, 5e-3),
            (f"{engine_name} estimate", seconds(partial(estimate, shape, workload)), least, 100e-6),
            (f"{engine_name} config.json to estimate", seconds(whole), seconds(lambda: json.loads(text)), 5e-3),
            (
                f"{engine_name} table {len(formats)} x {len(CONTEXTS)}",
                seconds_fresh(text, table),
                least * len(cells),
                20e-3,
            ),
        ]
    return found


def spread() -> list[tuple[str, list[float]]]:
    """Label and times in seconds over all reference shapes: the first estimate, others of lengths that nobody asked yet
    (a slider), and the same again."""
    first: list[float] = []
    slid: list[float] = []
    again: list[float] = []
    for name in reference_names():
        shape = read_config(parse_config_text((REFERENCE / "configs" / f"{name}.json").read_bytes()))
        if "llama.cpp" not in engines_for(shape):
            continue
        fresh = read_config(parse_config_text((REFERENCE / "configs" / f"{name}.json").read_bytes()))
        first.append(_once(fresh, 8192))
        slid += [_once(fresh, tokens) for tokens in SLID]
        again += [_once(fresh, tokens) for tokens in SLID]
    return [("first estimate", first), ("another context", slid), ("the same again", again)]


def _once(shape: Shape, tokens: int) -> float:
    start = process_time()
    estimate(shape, Workload(context_tokens=tokens))
    return process_time() - start


def main() -> None:
    for name in MODELS:
        print(f"{name}: {len(reference_shape(name).tensors):,} tensors")
        for label, time, least, limit in rows(name):
            times = f"{time * 1e6:10,.1f} us  limit {limit * 1e6:8,.0f} us  {time / least:7.1f} x floor"
            print(f"  {label:36} {times}  {'OVER' if time > limit else 'ok'}")
    gc.disable()  # what it collects is not this estimate's
    for kind, taken in spread():
        ordered = sorted(taken)
        middle, late = (ordered[int(share * len(ordered))] * 1e6 for share in (0.5, 0.99))
        print(f"llama.cpp, {len(ordered):5,} x {kind:16} median {middle:8,.0f} us, 99 % below {late:8,.0f} us")


if __name__ == "__main__":
    main()
