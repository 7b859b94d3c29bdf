"""What a quantised checkpoint leaves out of its encoders.

Methods that replace every `nn.Linear` of a model replace those of encoders and projectors, too, but for what the file
lists (transformers 5.24.0, `quantizers/quantizers_utils.py`, `should_convert_module`; compressed_tensors, `match.py`).
Every class has names of its own for the parts of an encoder, so it is the list that is read here, word by word: an
encoder, one of its layers, a part of a layer, a projector. What is said of an encoder in a way that is not read leaves
all of it wide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

_ENCODER = re.compile(r"vis|vit(_|$)|image|video|audio|sound|speech|whisper|siglip|clip|tower|encoder|vpm|apm")
_PROJECTOR = re.compile(
    r"merger|projector|connector|modality_projection|embed_vision|embed_audio|aligner|resampler|mlp1$|adapter|bridge"
)
_STACKS = frozenset({"blocks", "layers", "layer", "h", "resblocks"})
_AROUND = frozenset({"model", "encoder", "transformer", "vision_model", "vision_tower", "trunk", *_STACKS})
_TEXT = re.compile(r"^(?:model\.)?(?:language_model|text_model|llm|lm_head|embed_tokens)\b|^(?:model\.)?layers\.\d")
_PARTS = {
    **dict.fromkeys(("attn", "self_attn", "attention", "self_attention"), "attn"),
    **dict.fromkeys(("mlp", "feed_forward", "ffn", "feedforward"), "ffn"),
}
_NAMES = {
    **dict.fromkeys(("qkv", "qkv_proj", "wqkv", "in_proj", "query_key_value"), ("attn_qkv",)),
    **{f"{name}_proj": (f"attn_{name}", "attn_qkv") for name in "qkv"},
    **dict.fromkeys(("proj", "o_proj", "out_proj", "wo", "dense"), ("attn_out",)),
    **dict.fromkeys(("gate_proj",), ("ffn_gate",)),
    **dict.fromkeys(("gate_up_proj",), ("ffn_gate", "ffn_up")),
    **dict.fromkeys(("up_proj", "fc1", "linear_fc1"), ("ffn_up",)),
    **dict.fromkeys(("down_proj", "fc2", "linear_fc2"), ("ffn_down",)),
}
_MOST_DIGITS = 4  # of the number of a layer
_WILD = re.compile(r"[()\[\]|+?*^$\\{}]")


@dataclass(frozen=True)
class LeftOut:
    """The linear modules of encoders that stay wide: roles without `v.` or `a.`, in one layer or (None) in all."""

    everything: bool = False
    projectors: bool = False
    beside_layers: bool = False
    parts: frozenset[tuple[int | None, str]] = field(default_factory=frozenset)

    def holds(self, role: str, layer: int | None) -> bool:
        name = role.partition(".")[2]
        if self.everything:
            return True
        if layer is None:
            return self.projectors if role.startswith("mm.") or name.startswith("deepstack") else self.beside_layers
        kind = name.partition("_")[0]
        return any(key in self.parts for at in (None, layer) for key in ((at, ""), (at, name), (at, kind)))


def left_out(names: Iterable[str]) -> LeftOut:
    """What lists of modules say of encoders.

    >>> left_out(["lm_head", "model.visual.blocks.31.mlp.down_proj", "re:.*merger.*"]).holds("v.ffn_down", 31)
    True
    """
    parts: set[tuple[int | None, str]] = set()
    projectors = beside = False
    for name in names:
        plain = _plain(name)
        if _TEXT.search(plain):
            continue
        said = bool(_ENCODER.search(plain))
        if _PROJECTOR.search(plain):
            projectors = True
        elif _WILD.search(plain):
            if said:
                return LeftOut(everything=True)
        else:
            words = [word for word in plain.split(".") if word]
            layer, after = _layer(words) if said else (None, 0)
            tail = words[after:] if after else _tail(words)
            beside = beside or said
            if said and not tail and layer is None:
                return LeftOut(everything=True)
            parts |= {(layer, part) for part in _roles(tail)}
    return LeftOut(projectors=projectors, beside_layers=beside, parts=frozenset(parts))


def names_encoder(names: Iterable[str]) -> bool:
    """Whether one of these names lies in an encoder, or on the way from it into the text."""
    plain = map(_plain, names)
    return any((_ENCODER.search(name) or _PROJECTOR.search(name)) and not _TEXT.search(name) for name in plain)


def _plain(name: str) -> str:
    """A pattern that stands for one word and whatever is around it, as that word."""
    inside = name.removeprefix("re:").removeprefix("^").removesuffix("$").replace("\\.", ".").replace(".*", "*")
    return inside.strip("*.")


def _layer(words: list[str]) -> tuple[int | None, int]:
    """The number of a layer, and where in the path what it holds begins; None and 0 where it names none."""
    for at, (stack, number) in enumerate(pairwise(words)):
        if stack in _STACKS and number.isdecimal() and len(number) <= _MOST_DIGITS:
            return int(number), at + 2
    return None, 0


def _tail(words: list[str]) -> list[str]:
    """What follows the encoder's own name."""
    at = next((index for index, word in enumerate(words) if _ENCODER.search(word)), -1)
    return [word for word in words[at + 1 :] if word not in _AROUND]


def _roles(tail: list[str]) -> Iterable[str]:
    """`attn` and `ffn` are all of those parts, "" a whole layer; nothing for what is no linear module of a layer."""
    if not tail:
        return ("",)
    words = [word for word in tail if word != "linear"]  # Gemma 4's linear layers lie within one that clips
    if words[-1:] and words[-1] in _NAMES:
        return _NAMES[words[-1]]
    return (_PARTS[words[-1]],) if words[-1:] and words[-1] in _PARTS else ()
