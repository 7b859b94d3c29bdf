"""Multi-token prediction (arXiv:2412.19437, section 2.2): layers behind the last one that guess the tokens after next.

Each is a layer with a projection of two hidden sizes (of the token guessed, and of what lies before it) to one, and
norms of both and of the result. In most model types it is a layer like the last one that attends, and embeddings and
output head are the model's own; where it is another, the family's rule makes it (`Decoder.mtp`). Roles are llama.cpp's
(`nextn.*`). Sources: vLLM 0.33.0 `models/deepseek_mtp.py`, `glm4_moe_mtp.py`, `qwen3_5_mtp.py`, `qwen3_next_mtp.py`,
`hy_v3_mtp.py`, `mimo_mtp.py`, `bailing_moe_v3_mtp.py`; of other layers `step3p5_mtp.py`, `nemotron_h_mtp.py`,
`mimo_v2_mtp.py` and `models/deepseek_v4/nvidia/mtp.py`.
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.decoder import Decoder
from calculator.architecture.fields import Fields
from calculator.architecture.shape import Attention, LatentAttention
from calculator.architecture.tensors import Block, Weight, linear, norm

LIKE_THE_LAST = frozenset(
    {
        *("bailing_hybrid", "deepseek_v3", "deepseek_v32", "glm4_moe", "glm4_moe_lite", "glm_moe_dsa", "hy_v3"),
        *("kimi_k2", "mimo", "qwen3_5_moe_text", "qwen3_5_text", "qwen3_next"),
    }
)
"""Model types whose prediction layers are like the last one that attends."""


def with_prediction(c: Fields, model: Decoder) -> Decoder:
    """`model` with as many prediction layers as the config says; as it is where it says none. Layers that it counts
    and nothing describes are counted apart."""
    number = c.count("num_mtp_layers")
    if model.mtp or not number:
        return model
    like = next((block for block in reversed(model.layers) if _attends(block)), None)
    if c.model_type not in LIKE_THE_LAST or like is None:
        return replace(model, undescribed_mtp=number)
    return replace(model, mtp=(replace(like, weights=like.weights + around(model.hidden_size)),) * number)


def around(hidden: int) -> tuple[Weight, ...]:
    """What a prediction layer has beside a layer of the model."""
    return linear("nextn.eh_proj", hidden, 2 * hidden) + before(hidden) + norm("nextn.shared_head_norm", hidden)


def before(hidden: int) -> tuple[Weight, ...]:
    return norm("nextn.enorm", hidden) + norm("nextn.hnorm", hidden)


def _attends(block: Block) -> bool:
    return any(isinstance(mixer, Attention | LatentAttention) for mixer in block.mixers)
