"""The per-token part of a layer: what it is, in sizes. What it stores: `feed_forward`."""

from __future__ import annotations

from dataclasses import dataclass

VALUE_EXPERTS = "attn_v_exps"
"""The role of experts that make the values of attention."""
RESTING_EXPERTS = "_vision_exps"
"""The end of the roles of experts that only tokens of images are sent to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedForward:
    """The per-token part of a layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense(FeedForward):
    intermediate_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts(FeedForward):
    """Mixture of experts: `num_active_experts` of `num_experts` per token, plus `num_shared_experts` always on.

    Where experts form groups, they are chosen from the best `num_active_groups` of `num_groups` (DeepSeek-V3).
    `normalised`: the weights of those that are chosen add up to one; `scaled`: they are multiplied by a constant.
    `num_active_value_experts`: of those that make the values of attention, where a layer has such (K2 Horizon).
    """

    num_experts: int
    num_active_experts: int
    expert_size: int
    num_shared_experts: int = 0
    shared_size: int = 0
    latent_size: int | None = None
    num_groups: int = 1
    num_active_groups: int = 1
    normalised: bool = True
    scaled: bool = False
    num_active_value_experts: int = 0

    def active(self, role: str) -> int:
        """How many of the experts that are stacked in a tensor work on a token."""
        if role.endswith(RESTING_EXPERTS):
            return 0
        return self.num_active_value_experts if role == VALUE_EXPERTS else self.num_active_experts
