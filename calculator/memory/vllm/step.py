"""The peak of one step, as the server measures it before it plans its cache.

Sources (vLLM 0.33.0): `v1/worker/gpu/model_runner.py` (`profile_run`: a full batch without attention, then the sampler
on one row for each of `max_num_seqs` with every parameter set, while the batch's hidden states are still held),
`v1/worker/gpu/sample/sampler.py` (`apply_sampling_params`: the logits once more in f32),
`v1/sample/ops/topk_topp_sampler.py` (`flashinfer_sample`) and FlashInfer 0.7.2 `sampling.py`
(`top_k_top_p_sampling_from_logits`: masked logits and probabilities beside them).
"""

from __future__ import annotations

from calculator.architecture.shape import Shape
from calculator.memory.activations import widest_layer
from calculator.memory.workload import Term

ACTIVATION_BYTES = 2
LOGIT_BYTES = 2 + 4 + 4 + 4  # in the model's dtype; in f32 as processed, as masked, and as probabilities


class Step:
    """Terms over all cards, and the bytes of one rank of each stage. The sampler runs on the last stage."""

    def __init__(self, shape: Shape, tokens: int, sequences: int, ranks: int, depth: int, replicas: int) -> None:
        elements = widest_layer(shape, ranks)
        forward = tokens * elements * ACTIVATION_BYTES
        kept = tokens * shape.hidden_size * ACTIVATION_BYTES
        logits = min(tokens, sequences) * shape.vocab_size * LOGIT_BYTES
        beside = ranks * replicas
        copies = beside * depth
        self.terms: tuple[Term, ...]
        self.stage_bytes = [forward] * depth
        if forward >= logits + kept:
            self.terms = (_forward(tokens, elements, forward, copies),)
            return
        rows = {"sequences": min(tokens, sequences), "vocab_size": shape.vocab_size, "bytes": LOGIT_BYTES}
        held = {"tokens": tokens, "hidden_size": shape.hidden_size, "copies": beside}
        before = (_forward(tokens, elements, forward, copies - beside),) if depth > 1 else ()
        sampler = Term("sampler", {**rows, "copies": beside}, logits * beside)
        self.terms = (*before, sampler, Term("hidden_states_kept", held, kept * beside))
        self.stage_bytes[-1] = logits + kept


def _forward(tokens: int, elements: int, size: int, copies: int) -> Term:
    return Term("forward_pass", {"tokens": tokens, "elements": elements, "copies": copies}, size * copies)
