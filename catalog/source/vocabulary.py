"""The closed vocabularies of the files. `catalog.models.vocabulary` gives the same keys their labels."""

from __future__ import annotations

from typing import Literal

CommercialUse = Literal["yes", "restricted", "no", "unknown"]
Variant = Literal["base", "instruct", "chat", "reasoning", "hybrid-reasoning"]
Modality = Literal["text", "image", "audio", "video"]
Attention = Literal[
    "mha",
    "gqa",
    "mqa",
    "mla",
    "sliding-window",
    "chunked",
    "block-sparse",
    "deepseek-sparse",
    "sparse-indexer",
    "compressed-sparse",
    "heavily-compressed",
    "linear",
    "lightning",
    "gated-deltanet",
    "kimi-delta",
    "mamba",
    "mamba-2",
    "parallel-mamba-2",
    "short-convolution",
]
Normalization = Literal["rmsnorm", "layernorm", "layernorm-no-bias"]
Activation = Literal["swiglu", "swiglu-clamped", "geglu", "gelu", "relu", "squared-relu", "xielu", "situ-gated"]
PositionEmbedding = Literal[
    "rope", "rope-yarn", "rope-llama3", "rope-longrope", "nope", "nope-full", "learned", "alibi", "none"
]
TotalBasis = Literal["publisher", "model-name", "checkpoint", "secondary"]
ActiveBasis = Literal["all", "computed", "published"]
Confidence = Literal["primary", "secondary"]
SourceKind = Literal[
    "config",
    "official-repo",
    "official-blog",
    "paper",
    "library-default",
    "verification",
    "repository-date",
    "secondary",
]
Fact = Literal[
    "release_date",
    "knowledge_cutoff",
    "licence",
    "input_modalities",
    "output_modalities",
    "total_parameters",
    "total_label",
    "active_parameters",
    "active_label",
    "checkpoint_parameters",
    "context_tokens",
    "context_extended_tokens",
    "config",
    "attention",
    "normalization",
    "activation",
    "position_embedding",
    "summary",
    "description",
    "hf_repo",
    "modelscope_repo",
    "gguf_repo",
    "ollama_tag",
]
BenchmarkCategory = Literal[
    "general-knowledge",
    "graduate-reasoning",
    "math",
    "coding",
    "agentic-coding",
    "instruction-following",
    "long-context",
    "multilingual-chinese",
    "tool-use",
    "vision",
    "human-preference",
    "safety-factuality",
]
ScoreSourceKind = Literal["leaderboard", "third-party", "vendor"]
ScoreMode = Literal["", "thinking", "non-thinking"]
ScoreDuplicate = Literal["", "sources-differ", "same-value"]
Vendor = Literal[
    "nvidia",
    "amd",
    "intel",
    "apple",
    "google",
    "aws",
    "huawei",
    "cambricon",
    "hygon",
    "moore-threads",
    "metax",
    "biren",
    "iluvatar",
    "kunlunxin",
    "t-head",
]
Segment = Literal["consumer", "workstation", "datacenter", "apple-silicon", "apu", "edge"]
Confirmed = Literal["memory", "bandwidth", "tdp"]
