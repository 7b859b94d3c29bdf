"""Which keys of a config can bear shape. One that can, and that the model type's rule did not ask for, is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Words that end the question: a key with one of them says how to compute, train, tokenise or generate.
_SHAPE_FREE = re.compile(
    r"""(?x)
    (^|_)(token|tokens|index|idx|id|ids|dropout|drop|droprate|pdrop|layerdrop|init|initializer|eps|epsilon|std|range|rope|rotary
    |scale|scaling|multiplier|factor|coef|coeff|alpha|beta|theta|temperature|softcap|softcapping|soft|jitter|noise|loss|aux
    |act|activation|function|fn|func|method|norm_topk_prob|prob|cache|version|architectures|auto_map|transformers
    |limit|clip|cap|floor|min|max_length|penalty|beams?|sample|sampling|return|output|task|problem|label2id|id2label|labels?
    |impl|implementation|backend|kernels?_impl|attn_implementation|flash|fused|pretraining|tp|parallel_attn|use_cache
    |chunk_size_feed_forward|quantization|quant|compression|dtype|precision|fp32|fp16|bf16|checkpoint(ing)?|gradient
    |seed|name|path|repo|revision|commit|template|processor|tokenizer|class|mode|type_vocab|router_z|balance|aux_free
    |interleaved?|partial|yarn|ntk|mrope|base|freq|residual|logits?|logit|score|scores|scoring|group_limit|routed_scaling|renormalize|multipliers|eigval
    |summary|classifier|is_decoder|is_encoder_decoder|is_causal|causal|bidirectional|mup|lr|weight_decay|z|time_step
    |inference|train|training|debias|deterministic|trust|remote|sdpa|eager|torch|tf|legacy|ep|pp|gate_act|lower_bound|placeholder
    |attention_sink_size|no_rope|sliding_window_attention|unk|eos|bos|pad|sep|mask|decoder_start|forced|suppress|bad_words
    |mtplx|diversity|repetition|typical|top_k_sampling|top_p|topk_group|n_group|group_size_limit|early|num_return|remove_invalid)($|_)
    """
)
_SHAPE_BEARING = re.compile(
    r"""(?x)
    (^|_)(size|sizes|dim|dims|num|n|d|rank|ranks|head|heads|nheads|layer|layers|block|blocks|expert|experts|intermediate|kernel|conv
    |hidden|width|depth|channels?|groups?|latent|lora|state|ffn|ff|mlp|inner|embd|embed|embedding|embeddings|vocab|window
    |pattern|types?|interval|period|step|every|expand|expansion|bias|norm|layernorm|ln|qk|gated?|shared|share|moe|dense|sparse
    |mamba|ssm|linear|attention|attn|kv|tie|tied|proj|projection|projector|adapter|indexer|mtp|nextn|memory|multiple
    |vision|audio|image|codebook|lookup|engram|hash|compress|ratio|ratios|merge|downsample|patch)($|_)
    """
)
# Endings that always name a size, whatever comes before.
_SIZE = re.compile(r"(_dim|_dims|_rank|_size|_heads|_layers|_experts|_channels|_lora)$")
# Shape words in keys that bear none.
_HARMLESS = frozenset(
    {
        "_attn_implementation",
        "_attn_implementation_internal",
        "_name_or_path",
        "alibi",
        "architectures",
        "attention_dropout",
        "attn_implementation",
        "auto_map",
        "block_size",
        "chunk_size",
        "dtype",
        "encoder_no_repeat_ngram_size",
        "ep_size",
        "group_size",
        "head_type",
        "image_grid_pinpoints",
        "image_seq_length",
        "is_llama_config",
        "keys_to_ignore_at_inference",
        "language_model_only",
        "layer_norm_eps",
        "layer_norm_epsilon",
        "layernorm_epsilon",
        "mamba_chunk_size",
        "max_length",
        "max_window_layers",
        "min_length",
        "model_type",
        "moe_layer_freq_aux",
        "n_group",
        "no_repeat_ngram_size",
        "no_rope_layers",
        "norm_eps",
        "norm_epsilon",
        "norm_topk_prob",
        "num_beam_groups",
        "num_beams",
        "num_group",
        "num_logits_to_keep",
        "num_nextn_predict_layers",
        "num_return_sequences",
        "original_max_position_embeddings",
        "output_attentions",
        "output_hidden_states",
        "output_router_logits",
        "partial_rotary_factor",
        "pruned_heads",
        "quantization_config",
        "query_pre_attn_scalar",
        "rms_norm_eps",
        "rms_norm_epsilon",
        "rope_parameters",
        "rope_scaling",
        "rotary_dim",
        "rotary_emb_base",
        "rotary_pct",
        "router_aux_loss_coef",
        "seq_aux",
        "tokenizer_class",
        "topk_group",
        "torch_dtype",
        "transformers_version",
        "type_vocab_size",
        "use_associative_scan",
        "use_expert_bias",
        "use_mamba_kernels",
        "use_mambapy",
        "use_sliding_window",
        "use_unified_vision_chunk",
        "vision_aspect_ratio",
        "vision_feature_layer",
        "vision_feature_select_strategy",
    }
)

_SIZES_OF_A_PART = 2  # settings of how something runs have one now and then


def may_bear_shape(key: str, value: object) -> bool:
    """Whether an unread key is worth refusing the config for: its name is a shape's and its value is not empty."""
    if value in (None, False, 0, "") or value == [] or value == {} or isinstance(value, float):
        return False
    name = key.lower()
    if name in _HARMLESS:
        return False
    if _SIZE.search(name):
        return True
    if _SHAPE_FREE.search(name):
        return False
    return bool(_SHAPE_BEARING.search(name)) or _is_part(value)


def _is_part(value: object) -> bool:
    """Whether it is an object with sizes of its own: a part of the model, whatever it is called (`visual`)."""
    if not isinstance(value, Mapping):
        return False
    sizes = (type(one) is int and isinstance(key, str) and may_bear_shape(key, one) for key, one in value.items())
    return sum(sizes) >= _SIZES_OF_A_PART
