"""Which terms of an answer stand for what vLLM prints of one card after its profile run.

Sources: vLLM's `v1/worker/gpu_worker.py` (`determine_available_memory`) and `v1/worker/gpu_model_runner.py`
(`capture_model`).
"""

from __future__ import annotations

from calculator.memory.workload import Estimate

OF_A_CARD = {
    "activation": (
        "input_embeddings",
        "encoded_images",
        "encoder_pass",
        "expert_workspaces",
        "forward_pass",
        "sampler",
        "hidden_states_kept",
    ),
    "workspaces": ("workspaces", "communication"),
    "cuda_graphs": ("cuda_graphs", "attention_workspace"),
}
"""Quantities that vLLM prints for one card, and the terms that stand for them."""


def card_bytes(answer: Estimate, quantity: str) -> int | None:
    """Bytes of one card, all cards alike; None where the engine has no such term."""
    terms = [term for part in answer.parts for term in part.terms if term.key in OF_A_CARD[quantity]]
    return sum(term.bytes for term in terms) // answer.workload.devices if terms else None


def card_range_bytes(answer: Estimate, quantity: str) -> tuple[int, int] | None:
    """The least and the most of one card; None where all of it is derived."""
    terms = [term for part in answer.parts for term in part.terms if term.key in OF_A_CARD[quantity]]
    if not any(term.range_bytes for term in terms):
        return None
    ends = [term.range_bytes or (term.bytes, term.bytes) for term in terms]
    devices = answer.workload.devices
    return sum(least for least, _ in ends) // devices, sum(most for _, most in ends) // devices
