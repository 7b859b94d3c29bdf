"""The tensors of a shape, gathered: what each is called, and which are not loaded."""

from __future__ import annotations

import pytest

from calculator.architecture.shape import FullAttention, Tensor
from calculator.memory import Workload, estimate
from calculator.memory.tensors import category, tensor_groups
from tests.calculator.memory.shapes import made_of, published

ATTENTION = FullAttention(num_heads=4, num_kv_heads=2, head_dim=32, value_head_dim=32)


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        ("token_embd", "embedding"),
        ("per_layer_token_embd", "embedding"),
        ("position_embd", "embedding"),
        ("output", "output"),
        ("output_norm", "norm"),
        ("ffn_gate_inp", "router"),
        ("ffn_gate_inp_shexp", "router"),
        ("exp_probs_b", "router"),
        ("ffn_down_exps", "experts"),
        ("ffn_up_shexp", "shared_experts"),
        ("attn_q_norm", "norm"),
        ("ffn_norm", "norm"),
        ("ffn_gate", "feed_forward"),
        ("attn_output", "mixer"),
        ("ssm_in", "mixer"),
    ],
)
def test_the_kind_of_a_weight(role: str, kind: str) -> None:
    assert category(role) == kind


@pytest.mark.parametrize("engine", ["vllm", "transformers"])
def test_multi_token_prediction_is_not_loaded_unless_asked_for(engine: str) -> None:
    plain = made_of(ATTENTION)
    draft = Tensor(role="ffn_up", shape=(256, 128), layer=1, part="mtp")
    more = made_of(ATTENTION, tensors=(*plain.tensors, draft))
    without, with_draft = (estimate(shape, Workload(engine=engine, vision=True)) for shape in (plain, more))
    assert with_draft.parts == without.parts
    assert with_draft.file_bytes == without.file_bytes


def test_alike_tensors_are_one_group_and_know_their_heads() -> None:
    groups = {group.role: group for group in tensor_groups(published("qwen3-30b-a3b")) if group.kind == "weight"}
    experts = groups["ffn_down_exps"]
    assert (experts.layers, experts.matrices, experts.elements) == (tuple(range(48)), 128, 128 * 2_048 * 768)
    assert (experts.num_heads, experts.num_kv_heads) == (32, 4)
    assert (groups["token_embd"].layers, groups["token_embd"].num_heads) == ((None,), 0)
