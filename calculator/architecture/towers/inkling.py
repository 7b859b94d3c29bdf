"""Inkling's ways in for pictures and sound.

Sources: transformers 5.24.0, `models/inkling` (`InklingVisionModel`, `InklingAudioModel`) and `models/inkling2`; vLLM
0.33.0, `models/inkling/common/towers.py` (`plan_out_scales`; that of transformers does not divide the channels of the
last scale by 64 before it rounds them).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from math import log

from calculator.architecture.fields import Fields
from calculator.architecture.tensors import linear, norm, vector
from calculator.architecture.towers.tower import Tower, Towers, Weights, block, part_of, two_layers, vision_of

MOST_PATCH, MOST_FRAMES = 256, 64  # of the ways to choose among so many scales, each is tried

Scale = tuple[int, int, int]
"""Frames, the side of a square of pixels, and channels."""


def inkling(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    """Pixels are folded into ever fewer and wider vectors; sound is looked up, a table of rows for each band."""
    c, a = vision_of(outer, "inkling_vision"), part_of(outer, "audio_config", "inkling_audio")
    patch, frames = c.size("patch_size"), c.size("temporal_patch_size")
    if patch > MOST_PATCH or frames > MOST_FRAMES:
        raise c.fail("patch_size", "out_of_range", value=max(patch, frames), least=1, most=MOST_PATCH)
    channels = c.size("n_channels", None) or c.size("num_channels", 3)
    number = c.size("num_layers", use_default=False)  # that of its class makes an encoder larger than the model
    c.ignore("num_channels", "hidden_size", "num_heads", "decoder_dmodel", "text_hidden_size", "use_vision_norm")
    c.ignore("vision_encoder_type", "vision_num_heads")
    outside: Weights = ()
    for index, (start, end) in enumerate(pairwise(_scales(frames, patch, number, channels))):
        folded = start[2] * (end[0] // start[0]) * (end[1] // start[1]) ** 2
        last = index == number - 1
        outside += linear(f"v.fold.{index}", hidden if last else end[2], folded)
        outside += () if last else norm(f"v.fold_norm.{index}", end[2])
    bands, levels = a.size("n_mel_bins"), a.size("mel_vocab_size")
    a.ignore("decoder_dmodel", "text_hidden_size", "hidden_size", "audio_mode", "use_audio_norm")
    outer.ignore("mtp_config", "num_mtp_layers")
    heard = vector("a.token_embd", bands * levels, hidden) + norm("a.post_norm", hidden)
    return Tower("vision", outside + norm("v.post_ln", hidden), ()), Tower("audio", heard, ())


def _scales(frames: int, patch: int, number: int, channels: int) -> list[Scale]:
    """Where each layer begins and the last ends: of the scales that the prime factors of a patch make, those whose
    sizes are nearest to a geometric series."""
    whole = list(_of_factors(frames, patch, channels))
    series = [log(patch**2 * frames * channels) * i / number for i in range(number + 1)]
    costs = [[abs(ideal - log(t * side**2)) for t, side, _width in whole] for ideal in series]
    if number >= len(whole):
        chosen = [row.index(min(row)) for row in costs]
    else:
        ways = combinations(range(len(whole)), number + 1)
        chosen = list(min(ways, key=lambda way: sum(row[place] for row, place in zip(costs, way, strict=True))))
    chosen[0], chosen[-1] = 0, len(whole) - 1
    return [whole[place] for place in chosen]


def _of_factors(frames: int, patch: int, channels: int) -> Iterator[Scale]:
    yield 1, 1, channels
    side, time = 1, 1
    for factor in _primes(patch):
        side *= factor
        yield 1, side, 64 * -(-(side**2 * channels) // 64)
    for factor in _primes(frames):
        time *= factor
        yield time, side, 64 * -(-(side**2 * channels * time) // 64)


def _primes(number: int) -> list[int]:
    """Largest first."""
    found, divisor = [], 2
    while number > 1:
        while number % divisor == 0:
            found.append(divisor)
            number //= divisor
        divisor += 1
    return found[::-1]


def inkling2(outer: Fields, hidden: int) -> tuple[Tower, ...]:
    c = vision_of(outer, "inkling2_vision")
    width, patch = c.size("hidden_size"), c.size("patch_size")
    inner = c.size("intermediate_size", None, use_default=False) or int(width * c.number("mlp_ratio", 4))
    merge, middle = c.size("spatial_merge_size", 2), c.size("projection_hidden_dim")
    c.ignore("num_heads", "text_hidden_size", "intermediate_size")
    outside = linear("v.patch_embd", width, c.size("num_channels", 3) * patch**2)
    outside += vector("v.position_embd", c.size("posemb_grid_size", 32) ** 2, width)
    outside += vector("v.class_embd", 2, width) + norm("v.pre_ln", width, "layer")
    outside += two_layers(hidden, middle, width * merge**2, c.flag("projector_bias"))
    return (Tower("vision", outside, [block(width, inner, scales=True)] * c.size("num_layers")),)


TOWERS: dict[str, Towers] = {"inkling2": inkling2, "inkling2_loop": inkling2, "inkling_mm_model": inkling}
