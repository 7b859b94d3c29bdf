"""Latent attention with a mixture of experts: DeepSeek and those built like it."""

from __future__ import annotations

from calculator.architecture.attention import latent_attention
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.standard import PRE_NORMS, Family, first_dense
from calculator.architecture.feed_forward import dense, experts, read_experts
from calculator.architecture.fields import Fields
from calculator.architecture.tensors import norms


def deepseek_v3(c: Fields) -> Decoder:
    hidden = c.size("hidden_size")
    base = norms(PRE_NORMS, hidden) + latent_attention(c)
    kinds = first_dense(c)
    blocks = {
        "dense": lambda: base + dense(hidden, c.size("intermediate_size")),
        "sparse": lambda: base + experts(hidden, read_experts(c, shared="count"), correction="buffer"),
    }
    layers = {kind: blocks[kind]() for kind in dict.fromkeys(kinds)}
    c.ignore("num_mtp_layers", "num_experts_per_group")
    return decoder(c, [layers[kind] for kind in kinds])


FAMILIES: dict[str, Family] = {"deepseek_v3": deepseek_v3, "kimi_k2": deepseek_v3}
