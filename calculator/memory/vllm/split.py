"""What vLLM keeps of one tensor on one rank, where that is not the plain slice of it.

Sources (vLLM 0.33.0), in `model_executor/`: `models/` (which router is kept in f32, by `params_dtype`; which encoders
are those of transformers, whole on every rank), `layers/mamba/mamba_mixer2.py` (groups of B and C), `layers/linear.py`
(`QKVParallelLinear`), `models/deepseek_v4` and `models/kimi_k3` (what these two keep wide),
`layers/quantization/mxfp4.py` (`Mxfp4Config`: experts alone), `layers/fused_moe/oracle/mxfp4.py`
(`_get_priority_backends_for_gpt_oss`: which kernel a card gets), `kernels/linear/mixed_precision/machete.py`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from calculator.architecture.shape import Shape, StateSpace
from calculator.memory.checkpoint import FORMATS, IN_32_BITS, WIDE_BYTES, WeightFormat, ceil_div, may_quantise
from calculator.memory.mxfp4_experts import MARLIN, TRITON_ON_HOPPER, TRTLLM, ExpertLayout, mxfp4_expert_bytes
from calculator.memory.rank_weights import group_bytes
from calculator.memory.tensor_parallel import rank_shape
from calculator.memory.tensors import TensorGroup, category
from calculator.memory.vllm.serving import is_data_centre_blackwell, is_hopper
from calculator.memory.workload import WorkloadError

WIDE_ROUTERS = frozenset(
    {
        *("afmoe", "bailing_hybrid", "ernie4_5_moe", "glm4_moe", "glm4_moe_lite", "glm4v_moe_text"),
        *("hy_v3", "hy_v4", "longcat_flash", "mimo_v2", "mimo_v2_flash", "minimax_m2", "step3p5"),
    }
)
"""Model types whose router is f32, whatever the checkpoint says."""
ALWAYS_WIDE = frozenset(
    {
        *("exp_probs_b", "ffn_gate_tid2eid", "ssm_a", "attn_compressor_ape", "indexer_compressor_ape"),
        "indexer.k_norm",
    }
)
HYPER_CONNECTIONS = ("hc_", "output_hc_")
"""Corrections and tables of a router, the decay of a state, the norm of an indexer's keys (`deepseek_v2.py`), and
hyper-connections (by how they begin): f32 everywhere."""
DELTA_WIDE = ("ssm_conv1d", "ssm_dt")
"""And of Kimi's delta attention the convolution, which is kept a second time for decoding."""
WHOLE_TOWERS = frozenset({"gemma3n", "gemma4", "kimi_k3"})
"""Model types of files whose encoders lie whole on every rank."""
SPLIT_IN_TOWERS = {
    "gemma4_unified": frozenset({"v.patch_embd"}),
    "muse_glimmer": frozenset({"v.attn_q", "v.attn_k", "v.attn_v", "v.attn_out"}),
}
"""By model type of the file all that is split of an encoder whose other matrices are plain linear layers: the
projection of patches in `gemma4_unified.py`, attention in `muse_glimmer.py`."""
ENCODER_ALWAYS_LOADED = frozenset({"gemma4_unified"})
"""Model types of files whose way from pictures to tokens is loaded for text alone too: `gemma4_unified.py` builds it
outside `_mark_tower_model`, which `--limit-mm-per-prompt` switches off."""
WHOLE_PROJECTORS = frozenset({"kimi_k25", "kimi_vl"})
NO_QUERY_BIAS = frozenset({"glm4v", "glm46v"})
"""Model types of files whose projections have a bias that vLLM leaves out (`attention_bias` of `glm4.py`)."""
SPLIT_PATCHES = frozenset({"gemma4_unified", "llama4"})
"""Model types of files that read patches with a linear layer."""
CORRECTED_IF_STATED = frozenset({"deepseek_v3", "deepseek_v32", "deepseek_v4", "glm_moe_dsa", "kimi_k2", "minimax_m2"})
"""Model types whose router has a correction only where the file says so: `topk_method` in `deepseek_v2.py`,
`models/deepseek_v32` and `models/deepseek_v4`, `use_routing_bias` in `minimax_m2.py`."""
STORED_WITH_SIZES = ("ffn_gate_exps", "ffn_down_exps")
BETA_ROWS = 16  # `kimi_k3/nvidia/kda.py` pads the merged projection to so many
WIDER_THAN_HEADS = frozenset({"cohere", "minimax_m2"})
"""Model types whose norms of queries and keys have a number for each of all heads; a rank has the part of its heads."""
SPLIT_OUTPUTS = ("per_layer_model_proj", "altup_proj", "altup_unembd_proj")
"""Column-parallel in `gemma3n.py` and `gemma4.py`: the inputs of all layers at once, and Gemma 3n's streams."""
SPLIT_OUTPUTS_OF = {"nemotron_h": ("nextn.eh_proj",)}
"""By model type: what the layer that predicts begins with, in `nemotron_h_mtp.py`."""
WIDE_WHERE_PREDICTING = dict.fromkeys(("mimo_v2", "mimo_v2_flash"), ("attn_output",))
"""By model type: what layers that predict keep in 16 bits (`mimo_v2.py`, "mtp.layers")."""

WIDE_BESIDE_EXPERTS = {"kimi_linear": ("ffn_routed_down", "ffn_routed_up")}
"""By model type: the way into the experts' latent space and out of it, in 16 bits whatever the checkpoint's lists say,
as starts of Kimi K3 print (`calculator/reference/vllm.jsonl`)."""


def price(
    shape: Shape, group: TensorGroup, spec: WeightFormat, ranks: int, capability: tuple[int, int]
) -> tuple[int, str]:
    """Bytes of one tensor on one of `ranks`, and the format it is held in."""
    role = group.role
    spec = _held(shape, group, spec)
    if group.part != "text" and _is_whole(shape, role):
        ranks = 1
    if role in ("attn_q", "attn_k", "attn_v") and group.kind == "bias" and shape.file_type in NO_QUERY_BIAS:
        return 0, spec.name
    if role == "exp_probs_b" and shape.model_type in CORRECTED_IF_STATED and not shape.states_correction:
        return 0, spec.name
    if spec.name == "MXFP4" and "_exps" in role:
        return mxfp4_expert_bytes(group, ranks, _experts_in_mxfp4(capability)), spec.name
    size = group_bytes(_widened(shape, group, ranks), spec, ranks)
    if role == "attn_k" and may_quantise(group) and group.layers[0] not in _layers_with_values(shape):
        size *= 2  # values that are keys are stored once, and the merged matrix holds them twice
    if role.startswith("ssm_conv1d") and shape.model_type == "kimi_linear":
        size *= 2
    return size + _zero_points(group, spec, ranks, capability) + _sizes_of_experts(group, spec), spec.name


def check_encoder(shape: Shape, ranks: int) -> None:
    """Raise `WorkloadError` where an encoder that is split has heads that do not divide (`distributed/utils.py`)."""
    if shape.tower_heads % ranks and shape.file_type not in WHOLE_TOWERS:
        values = {"value": ranks, "name": "vision_num_heads", "size": shape.tower_heads}
        raise WorkloadError("tensor_parallel", "not_divisible", **values)


def _experts_in_mxfp4(capability: tuple[int, int]) -> ExpertLayout:
    """Marlin before Hopper, and on other Blackwell cards."""
    if is_hopper(capability):
        return TRITON_ON_HOPPER
    return TRTLLM if is_data_centre_blackwell(capability) else MARLIN


def _held(shape: Shape, group: TensorGroup, spec: WeightFormat) -> WeightFormat:
    role = group.role
    wide = role in ALWAYS_WIDE or role.startswith(HYPER_CONNECTIONS)
    wide = wide or (shape.model_type == "kimi_linear" and role.startswith(DELTA_WIDE))
    if wide or (category(role) == "router" and shape.model_type in WIDE_ROUTERS):
        return IN_32_BITS
    predicts = group.layers[0] is not None and group.layers[0] >= shape.num_layers
    if predicts and role in WIDE_WHERE_PREDICTING.get(shape.model_type, ()):
        return FORMATS["BF16"]
    if role in WIDE_BESIDE_EXPERTS.get(shape.model_type, ()):
        return FORMATS["BF16"]
    experts_alone = shape.quantization is None or shape.quantization.method == "mxfp4"
    if role.startswith("indexer.attn_k") or (spec.name == "MXFP4" and experts_alone and "_exps" not in role):
        return FORMATS["BF16"]
    if spec.name == "FP8-BLOCK" and shape.model_type == "deepseek_v4":
        return replace(spec, matrix_bytes=lambda rows, columns: _blocks_of_bytes(spec, rows, columns))
    return spec


def _blocks_of_bytes(spec: WeightFormat, rows: int, columns: int) -> int:
    """A power of two in one byte for every block."""
    return rows * columns + ceil_div(rows, spec.row_group) * ceil_div(columns, spec.group)


def _is_whole(shape: Shape, role: str) -> bool:
    if shape.file_type in SPLIT_IN_TOWERS:
        return role not in SPLIT_IN_TOWERS[shape.file_type]
    return shape.file_type in WHOLE_TOWERS or (shape.file_type in WHOLE_PROJECTORS and role.startswith("mm."))


def _zero_points(group: TensorGroup, spec: WeightFormat, ranks: int, capability: tuple[int, int]) -> int:
    """Beyond what the format itself counts. Machete, Hopper's kernel, unpacks AWQ's to 16 bits and leaves those of a
    symmetric GPTQ file where they are; experts keep these on any card."""
    expert = "_exps" in group.role
    if spec.name not in ("AWQ", "GPTQ") or (not is_hopper(capability) and not (expert and spec.name == "GPTQ")):
        return 0
    rows, columns = rank_shape(group, ranks)
    groups = ceil_div(columns, spec.group)
    if spec.name == "GPTQ":
        return group.matrices * groups * ceil_div(rows, 2)
    return 0 if expert else group.matrices * groups * (2 * rows - ceil_div(rows, 2))


def _sizes_of_experts(group: TensorGroup, spec: WeightFormat) -> int:
    """compressed-tensors keeps two numbers of 16 bits for every expert, of gate with up and of down
    (`compressed_tensors_moe_wna16.py`, `w13_weight_shape`)."""
    return 2 * WIDE_BYTES * group.shape[0] if spec.name == "INT4" and group.role in STORED_WITH_SIZES else 0


def _widened(shape: Shape, group: TensorGroup, ranks: int) -> TensorGroup:
    """Mamba-2: where ranks outnumber the groups of B and C, each rank has one, so that groups repeat; the norm before
    the output is split like the output's input."""
    if shape.file_type in SPLIT_PATCHES and group.role == "v.patch_embd":
        return replace(group, role="v.ffn_up")
    if ranks == 1 or group.part != "text":
        return group
    if shape.model_type == "kimi_linear" and group.role == "ssm_beta":
        return replace(group, shape=(ceil_div(group.rows, BETA_ROWS * ranks) * BETA_ROWS * ranks, group.columns))
    if shape.model_type in WIDER_THAN_HEADS and group.role in ("attn_q_norm", "attn_k_norm"):
        return replace(group, shape=(ceil_div(group.shape[0], ranks), *group.shape[1:]))
    if group.role in (*SPLIT_OUTPUTS, *SPLIT_OUTPUTS_OF.get(shape.model_type, ())):
        return replace(group, role="ffn_up")
    mixer = _mamba2(shape)
    if mixer is None:
        return group
    if group.role == "ssm_norm":
        return replace(group, shape=(max(1, group.rows // ranks),))
    if group.role not in ("ssm_in", "ssm_conv1d") or mixer.num_groups % ranks == 0:
        return group
    more = 2 * (ranks - mixer.num_groups) * mixer.state_size
    return replace(group, shape=(group.rows + more, *group.shape[1:]))


@lru_cache(maxsize=64)
def _mamba2(shape: Shape) -> StateSpace | None:
    mixers = (mixer for layer in shape.layers for mixer in layer.mixers)
    return next((mixer for mixer in mixers if isinstance(mixer, StateSpace) and mixer.version == 2), None)


@lru_cache(maxsize=64)
def _layers_with_values(shape: Shape) -> frozenset[int | None]:
    return frozenset(tensor.layer for tensor in shape.tensors if tensor.role == "attn_v")
