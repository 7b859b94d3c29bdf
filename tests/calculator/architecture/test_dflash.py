"""DFlash and what stands around it (Domino, DSpark): what their files hold, cache and borrow. Counts "by hand" follow
from the config and the classes that `draft_heads` names."""

from __future__ import annotations

from typing import Any

import pytest

from calculator.architecture import read_draft_head
from calculator.architecture.shape import FullAttention, SlidingWindowAttention
from tests.calculator.architecture.draft_head_files import (
    DEEPSPEC,
    DFLASH,
    FIVE,
    of,
)


def test_dflash_caches_features_of_its_target_and_borrows_both_tables() -> None:
    head = of(DFLASH, dflash_config={**FIVE, "mask_token_id": 151669})
    # By hand: fc of five widths; layers with norms of queries and keys; two norms around them
    layer = 2 * 4096 * 4096 + 2 * 4096 * 1024 + 2 * 128 + 3 * 4096 * 12288 + 2 * 4096
    assert head.parameters == 5 * 4096 * 4096 + 5 * layer + 2 * 4096 == 1_048_626_432
    assert (head.kind, head.borrows, head.target_layers, head.block_tokens) == (
        "dflash",
        ("token_embd", "output"),
        36,
        16,
    )
    assert len(head.mixers) == 5
    assert of(DFLASH).parameters == head.parameters  # vLLM: as many features as layers, where none are listed
    assert of(DFLASH, dflash_config={"target_layer_ids": [3]}).parameters == head.parameters - 4 * 4096 * 4096


def test_dflash_in_a_window() -> None:
    config = DFLASH | {"dflash_config": {**FIVE, "use_swa": True, "swa_window_size": 1024}}
    mixers = read_draft_head(config).mixers
    assert {type(mixer) for (mixer,) in mixers} == {SlidingWindowAttention}
    assert {mixer.window for (mixer,) in mixers if isinstance(mixer, SlidingWindowAttention)} == {1024}
    by_layer = DFLASH | {"layer_types": ["sliding_attention"] * 4 + ["full_attention"], "sliding_window": 2048}
    kinds = [type(mixer) for (mixer,) in read_draft_head(by_layer).mixers]
    assert kinds == [SlidingWindowAttention] * 4 + [FullAttention]


@pytest.mark.parametrize(
    ("settings", "more"),
    [
        # SGLang `dflash.py`: two convolutions a layer, of 2 x 2 taps a channel and a matrix to 2 x 2 x groups
        ({"conv_kernel_size": 2, "conv_group_size": 64}, 5 * 2 * (4 * 4096 + 4 * 64 * 4096)),
        ({"selector_rank": 256, "selector_top_k": 16}, 2 * 151936 * 256 + 256 * 4096),
        # Domino: a recurrent layer without biases, and two matrices to the words
        (
            {"projector_type": "domino", "gru_hidden_dim": 1024, "emb_dim": 256},
            3 * 1024 * (4096 + 1024) + 256 * (4096 + 1024) + 151936 * 256,
        ),
        ({"attention_sink_bias": True}, 5 * 32),
    ],
)
def test_what_stands_around_dflash(settings: dict[str, Any], more: int) -> None:
    assert of(DFLASH, dflash_config={**FIVE, **settings}).parameters - of(DFLASH).parameters == more


@pytest.mark.parametrize(("word", "more"), [("gated", 256 * (4096 + 256) + 256), ("rnn", 768 * (512 + 4096) + 768)])
def test_dspark_s_other_markov_heads(word: str, more: int) -> None:
    """SGLang `dspark.py`, `GatedMarkovHead` and `RNNHead`: one matrix with a bias."""
    assert of(DEEPSPEC, markov_head_type=word).parameters - of(DEEPSPEC).parameters == more
