"""What the encoder of images holds when the server runs it before it plans its cache.

Sources (vLLM 0.33.0): `v1/worker/gpu/model_runner.py` (`profile_run`: the encoder on its largest inputs, then a full
step while what came out is kept), `multimodal/encoder_budget.py` (as many items as the tokens of a step hold),
`v1/worker/gpu/mm/encoder_runner.py` (`inputs_embeds`), `models/siglip.py`, `models/gemma3_mm.py`,
`models/gemma4_mm.py`, `models/qwen3_vl.py`; the layers of Gemma 4's encoder are those of transformers 5.24,
`models/gemma4/modeling_gemma4.py`.

Other families take the size of their largest image from preprocessor_config.json, which is not asked for.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import NamedTuple

from calculator.architecture.shape import Shape
from calculator.memory.checkpoint import WIDE_BYTES
from calculator.memory.tensors import tensor_groups
from calculator.memory.vllm.split import WHOLE_TOWERS

MERGING = frozenset({"exaone4_5", "qwen2_5_vl", "qwen2_vl", "qwen3_5", "qwen3_5_moe", "qwen3_vl", "qwen3_vl_moe"})
"""Model types of files whose projector reads the patches of one token side by side."""

FILM_FRAMES, FRAME_TOKENS, FRAME_TOKENS_IN_TEXT, PATCHES_OF_A_TOKEN = 32, 70, 78, 9
"""Gemma 4's largest input is a film: its frames, the tokens of each, those with what stands between frames, and 3 x 3
patches pooled to one (`_VIDEO_MAX_FRAMES`, `_VIDEO_MAX_SOFT_TOKENS`, `get_mm_max_tokens_per_item`)."""
CHUNK_OF_A_CARD = 10
CHUNK_PATCH_BYTES = 4 * 8
"""Gemma 4 encodes as many frames at once as would take a tenth of the card at so many bytes for every patch and row of
the position table (`_encoder_chunk`)."""
THOUSAND = 1024


class Encoding(NamedTuple):
    """`items` inputs of `patches` each, which become `tokens` each; `at_once` of the patches of all are in a layer
    together."""

    items: int
    patches: int
    tokens: int
    at_once: int
    elements: int  # held for each patch of a layer, and
    kept: int  # for each patch of all inputs

    @property
    def peak_bytes(self) -> int:
        return (self.at_once * self.elements + self.items * self.patches * self.kept) * WIDE_BYTES


class _Layer(NamedTuple):
    hidden: int
    width: int  # beside four rows of the hidden size
    pixels: int  # numbers of a patch as it is read


def encoding(shape: Shape, tokens: int, ranks: int, card_bytes: int | None) -> Encoding | None:
    """With `tokens` in a step; None where the config does not say how large an input may be.

    Sequences and the context bound the number of items too, but every sequence may bring 999 of them.
    """
    layer = _layer(shape, ranks)
    if layer is None:
        return None
    if shape.file_type == "gemma4":
        patches = FILM_FRAMES * FRAME_TOKENS * PATCHES_OF_A_TOKEN
        items = _items(tokens, FILM_FRAMES * FRAME_TOKENS_IN_TEXT)
        at_once = min(items * patches, _chunk(shape, card_bytes) or items * patches)
        elements = 4 * layer.hidden + layer.width
        return Encoding(items, patches, FILM_FRAMES * FRAME_TOKENS, at_once, elements, layer.pixels + layer.hidden)
    if shape.image_tokens:
        patches = _positions(shape)
        items = _items(tokens, shape.image_tokens)
        return Encoding(
            items, patches, shape.image_tokens, items * patches, 4 * layer.hidden + layer.width, layer.pixels
        )
    return None


def thousand_tokens_bytes(shape: Shape, ranks: int) -> int:
    """What 1,024 tokens of an image hold at the peak of the encoder; 0 where that is not known."""
    layer = _layer(shape, ranks)
    if layer is None or shape.file_type not in MERGING:
        return 0
    read = next(group.columns for group in tensor_groups(shape) if group.role == "mm.0" and group.kind == "weight")
    return THOUSAND * (read // layer.hidden) * (layer.pixels + 4 * layer.hidden + layer.width) * WIDE_BYTES


def _items(tokens: int, item_tokens: int) -> int:
    """`MultiModalBudget.get_encoder_budget`: at least one, however few tokens a step has."""
    return max(tokens // item_tokens, 1)


@lru_cache(maxsize=256)
def _layer(shape: Shape, ranks: int) -> _Layer | None:
    """An encoder of attention and feed-forward layers; None for any other.

    While a layer runs there are the encoder's input, the layer's, the sum so far and what it reads or writes, each of
    the hidden size. Beside them are the feed-forward's widths: before and after the activation, and up where it is
    gated. Where queries and keys are turned together, there are instead all three, two of them once more and turned,
    the result, and its sum over ranks.
    """
    sizes = {group.role: group for group in tensor_groups(shape) if group.part == "vision" and group.kind == "weight"}
    if not {"v.ffn_up", "v.patch_embd"} <= sizes.keys():
        return None
    ranks = 1 if shape.file_type in WHOLE_TOWERS else ranks
    up, patch = sizes["v.ffn_up"], sizes["v.patch_embd"]
    hidden, pixels = up.columns, prod(patch.shape) // up.columns
    width = (3 if "v.ffn_gate" in sizes else 2) * up.rows // ranks
    if shape.file_type in MERGING:
        width = max(width, (3 + 2 + 2 + 1) * hidden // ranks + (hidden if ranks > 1 else 0))
    return _Layer(hidden, width, pixels)


@lru_cache(maxsize=256)
def _positions(shape: Shape) -> int:
    """Patches of an image whose size is always the same: one position each."""
    return next((group.rows for group in tensor_groups(shape) if group.role == "v.position_embd"), 0)


def _chunk(shape: Shape, card_bytes: int | None) -> int | None:
    if card_bytes is None:
        return None
    frame = FRAME_TOKENS * PATCHES_OF_A_TOKEN
    return max(card_bytes // CHUNK_OF_A_CARD // (frame * _positions(shape) * CHUNK_PATCH_BYTES), 1) * frame
