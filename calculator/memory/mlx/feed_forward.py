"""The operations of one pass through a feed-forward network or a mixture of experts.

Source: mlx-lm 0.32.2, `models/llama.py` (`MLP`), `models/switch_layers.py` (`SwitchGLU`), `qwen3_moe.py`.
"""

from __future__ import annotations

from calculator.architecture.shape import Experts
from calculator.memory.mlx.graph import Pass

SORTED_FROM = 64  # `switch_layers.py`: so many choices of experts are sorted by expert
INDEX = 4  # bytes
LATENT_DOWN = ("ffn_latent_down", "ffn_routed_down")
"""Into the narrower space that routed experts may work in: of Nemotron-H and of Kimi K3."""


def dense(p: Pass, x: int, suffix: str = "") -> int:
    """Gate and up, together where the checkpoint joins them, and down. `suffix`: "" or "_shexp"."""
    up, gate, down = f"ffn_up{suffix}", f"ffn_gate{suffix}", f"ffn_down{suffix}"
    made = p.linear(up, x)
    if gate in p.outputs:
        made = p.tape.over(p.linear(gate, x), made)
    elif p.outputs.get(up, 0) > p.inputs.get(down, 0):
        made = p.new(made, numbers=p.inputs.get(down, 0))
    else:
        made = p.tape.over(made)
    return p.linear(down, made)


def experts(p: Pass, spec: Experts, x: int) -> int:
    """Tokens are copied to each of their experts, sorted by expert, and back."""
    model, chosen = spec.latent_size or p.hidden, spec.num_active_experts
    scores = p.linear("ffn_gate_inp", x)
    order = p.tape.run(scores, numbers=p.tokens * spec.num_experts, width=INDEX, times=3)
    down = next((role for role in LATENT_DOWN if role in p.outputs), None)
    entering = p.linear(down, x) if down else x
    copied = entering
    if p.tokens * chosen >= SORTED_FROM:
        copied = p.new(entering, order, numbers=chosen * model, times=3)
    made = p.experts("ffn_up_exps", copied, chosen * spec.expert_size)
    if "ffn_gate_exps" in p.outputs:
        made = p.tape.over(p.experts("ffn_gate_exps", copied, chosen * spec.expert_size), made)
    result = p.experts("ffn_down_exps", made, chosen * model)
    if copied != entering:
        result = p.new(result, order, numbers=chosen * model)
    p.tape.over(result, scores)
    result = p.new(result, numbers=model)
    if down:
        result = p.linear(down.replace("down", "up"), result)
    if "ffn_up_shexp" in p.outputs:
        result = p.tape.over(result, dense(p, x, "_shexp"))
    return p.tape.over(result, dense(p, x)) if "ffn_up" in p.outputs else result
