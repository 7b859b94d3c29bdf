"""Multi-token prediction (arXiv:2412.19437, section 2.2): layers behind the last one that guess the tokens after next.

Each is a layer like the last one that attends, with a projection of two hidden sizes (of the token guessed, and of what
lies before it) to one, and norms of both and of the result. Embeddings and output head are the model's own. Roles are
llama.cpp's (`nextn.*`). Sources: vLLM 0.33.0 `models/deepseek_mtp.py`, `glm4_moe_mtp.py`, `qwen3_5_mtp.py`,
`qwen3_next_mtp.py`.
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.decoder import Decoder
from calculator.architecture.fields import Fields
from calculator.architecture.shape import Attention, LatentAttention
from calculator.architecture.tensors import Block, linear, norm

PREDICTING = frozenset(
    {
        *("deepseek_v3", "deepseek_v32", "glm4_moe", "glm4_moe_lite", "glm_moe_dsa", "kimi_k2"),
        *("qwen3_5_moe_text", "qwen3_5_text", "qwen3_next"),
    }
)
"""Model types whose prediction layers are built so."""


def with_prediction(c: Fields, model: Decoder) -> Decoder:
    """`model` with as many prediction layers as the config says; as it is where it says none."""
    number = c.count("num_mtp_layers") if c.model_type in PREDICTING and not model.mtp else 0
    if not number:
        return model
    like = next(block for block in reversed(model.layers) if _attends(block))
    hidden = model.hidden_size
    around = linear("nextn.eh_proj", hidden, 2 * hidden)
    around += norm("nextn.enorm", hidden) + norm("nextn.hnorm", hidden) + norm("nextn.shared_head_norm", hidden)
    return replace(model, mtp=(replace(like, weights=like.weights + around),) * number)


def _attends(block: Block) -> bool:
    return any(isinstance(mixer, Attention | LatentAttention) for mixer in block.mixers)
