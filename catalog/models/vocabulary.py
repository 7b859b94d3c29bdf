"""The closed vocabularies of the catalogue, each key with its label. `catalog.source.vocabulary` has the same keys."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import TextChoices
from django.utils.text import capfirst
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from calculator.labels import VENDORS


class CommercialUse(TextChoices):
    YES = "yes", pgettext_lazy("commercial use", "Allowed")
    RESTRICTED = "restricted", pgettext_lazy("commercial use", "Allowed with conditions")
    NO = "no", pgettext_lazy("commercial use", "Not allowed")
    UNKNOWN = "unknown", pgettext_lazy("commercial use", "Not known")


class Variant(TextChoices):
    BASE = "base", _("Base model")
    INSTRUCT = "instruct", _("Instruction-tuned")
    CHAT = "chat", _("Chat")
    REASONING = "reasoning", _("Reasoning")
    HYBRID_REASONING = "hybrid-reasoning", _("Hybrid reasoning")


class Modality(TextChoices):
    TEXT = "text", pgettext_lazy("modality", "Text")
    IMAGE = "image", pgettext_lazy("modality", "Image")
    AUDIO = "audio", pgettext_lazy("modality", "Audio")
    VIDEO = "video", pgettext_lazy("modality", "Video")


def modality_words(values: Iterable[str]) -> str:
    """Modalities in the reader's language: "Text, image"."""
    words = dict(Modality.choices)
    return capfirst(gettext(", ").join(str(words.get(value, value)).lower() for value in values))


class Architecture(TextChoices):
    DENSE = "dense", _("Dense")
    MOE = "moe", _("Mixture of experts")
    HYBRID = "hybrid", _("Hybrid")
    SSM = "ssm", _("State space model")


class Attention(TextChoices):
    MHA = "mha", _("Multi-head attention (MHA)")
    GQA = "gqa", _("Grouped-query attention (GQA)")
    MQA = "mqa", _("Multi-query attention (MQA)")
    MLA = "mla", _("Multi-head latent attention (MLA)")
    SLIDING_WINDOW = "sliding-window", _("Sliding window attention")
    CHUNKED = "chunked", _("Chunked attention")
    BLOCK_SPARSE = "block-sparse", _("Block-sparse attention")
    DEEPSEEK_SPARSE = "deepseek-sparse", _("DeepSeek Sparse Attention")
    SPARSE_INDEXER = "sparse-indexer", _("Sparse attention with an indexer")
    COMPRESSED_SPARSE = "compressed-sparse", _("Compressed sparse attention")
    HEAVILY_COMPRESSED = "heavily-compressed", _("Heavily compressed attention")
    LINEAR = "linear", _("Linear attention")
    LIGHTNING = "lightning", _("Lightning attention (linear)")
    GATED_DELTANET = "gated-deltanet", _("Gated DeltaNet (linear)")
    KIMI_DELTA = "kimi-delta", _("Kimi Delta Attention (linear)")
    MAMBA = "mamba", _("Mamba (state space)")
    MAMBA_2 = "mamba-2", _("Mamba-2 (state space)")
    PARALLEL_MAMBA_2 = "parallel-mamba-2", _("Mamba-2 in parallel with attention")
    SHORT_CONVOLUTION = "short-convolution", _("Short convolution")


class Normalization(TextChoices):
    RMSNORM = "rmsnorm", "RMSNorm"
    LAYERNORM = "layernorm", "LayerNorm"
    LAYERNORM_NO_BIAS = "layernorm-no-bias", _("LayerNorm without bias")


class Activation(TextChoices):
    SWIGLU = "swiglu", "SwiGLU"
    SWIGLU_CLAMPED = "swiglu-clamped", _("SwiGLU, clamped")
    GEGLU = "geglu", "GeGLU"
    GELU = "gelu", "GELU"
    RELU = "relu", "ReLU"
    SQUARED_RELU = "squared-relu", _("Squared ReLU")
    XIELU = "xielu", "xIELU"
    SITU_GATED = "situ-gated", _("SiTU, gated")


class PositionEmbedding(TextChoices):
    ROPE = "rope", "RoPE"
    ROPE_YARN = "rope-yarn", _("RoPE with YaRN scaling")
    ROPE_LLAMA3 = "rope-llama3", _("RoPE with Llama 3 scaling")
    ROPE_LONGROPE = "rope-longrope", _("RoPE with LongRoPE scaling")
    NOPE = "nope", _("NoPE (no position embedding)")
    NOPE_FULL = "nope-full", _("RoPE; none in full-attention layers (NoPE)")
    LEARNED = "learned", _("Learned positions")
    ALIBI = "alibi", "ALiBi"
    NONE = "none", pgettext_lazy("position embedding", "None")


class TotalBasis(TextChoices):
    """Where the published label of the total comes from."""

    PUBLISHER = "publisher", _("stated by the publisher")
    MODEL_NAME = "model-name", _("from the model's name")
    CHECKPOINT = "checkpoint", _("rounded from the checkpoint's tensor count")
    SECONDARY = "secondary", _("from a secondary source")


class ActiveBasis(TextChoices):
    """What the exact count of active parameters counts."""

    ALL = "all", _("all parameters")
    COMPUTED = "computed", _("the weights read to generate one token of text")
    PUBLISHED = "published", _("the published figure, not recomputed")


class Confidence(TextChoices):
    PRIMARY = "primary", _("Primary sources")
    SECONDARY = "secondary", _("Secondary sources")


class SourceKind(TextChoices):
    CONFIG = "config", _("the model's config.json")
    OFFICIAL_REPO = "official-repo", _("publisher's repository")
    OFFICIAL_BLOG = "official-blog", _("publisher's announcement")
    PAPER = "paper", _("paper")
    LIBRARY_DEFAULT = "library-default", _("library default")
    VERIFICATION = "verification", _("recomputed")
    REPOSITORY_DATE = "repository-date", _("creation date of the repository")
    SECONDARY = "secondary", _("secondary source")


class BenchmarkCategory(TextChoices):
    GENERAL_KNOWLEDGE = "general-knowledge", _("General knowledge")
    GRADUATE_REASONING = "graduate-reasoning", _("Graduate-level reasoning")
    MATH = "math", _("Mathematics")
    CODING = "coding", _("Coding")
    AGENTIC_CODING = "agentic-coding", _("Agentic coding")
    INSTRUCTION_FOLLOWING = "instruction-following", _("Instruction following")
    LONG_CONTEXT = "long-context", _("Long context")
    CHINESE = "multilingual-chinese", _("Chinese")
    TOOL_USE = "tool-use", _("Tool use")
    VISION = "vision", _("Vision")
    HUMAN_PREFERENCE = "human-preference", _("Human preference")
    FACTUALITY = "safety-factuality", _("Factuality")


class ScoreSourceKind(TextChoices):
    """Who measured, in the order of preference."""

    LEADERBOARD = "leaderboard", _("Independent leaderboard")
    THIRD_PARTY = "third-party", _("Third party")
    VENDOR = "vendor", _("Reported by the publisher")


class ScoreMode(TextChoices):
    THINKING = "thinking", _("Thinking")
    NON_THINKING = "non-thinking", _("Non-thinking")


class ScoreDuplicate(TextChoices):
    DIFFERS = "sources-differ", _("Sources differ")
    AGREES = "same-value", _("Same value elsewhere")


class Vendor(TextChoices):
    NVIDIA = "nvidia", VENDORS["nvidia"]
    AMD = "amd", VENDORS["amd"]
    INTEL = "intel", VENDORS["intel"]
    APPLE = "apple", VENDORS["apple"]
    GOOGLE = "google", VENDORS["google"]
    AWS = "aws", VENDORS["aws"]
    HUAWEI = "huawei", VENDORS["huawei"]
    CAMBRICON = "cambricon", VENDORS["cambricon"]
    HYGON = "hygon", VENDORS["hygon"]
    MOORE_THREADS = "moore-threads", VENDORS["moore-threads"]
    METAX = "metax", VENDORS["metax"]
    BIREN = "biren", VENDORS["biren"]
    ILUVATAR = "iluvatar", VENDORS["iluvatar"]
    KUNLUNXIN = "kunlunxin", VENDORS["kunlunxin"]
    T_HEAD = "t-head", VENDORS["t-head"]


class Segment(TextChoices):
    CONSUMER = "consumer", _("Consumer")
    WORKSTATION = "workstation", _("Workstation")
    DATACENTER = "datacenter", _("Data centre")
    APPLE_SILICON = "apple-silicon", _("Apple silicon")
    APU = "apu", _("Processor with graphics")
    EDGE = "edge", _("Edge device")


class Confirmed(TextChoices):
    """What other sources may say the same of a card."""

    MEMORY = "memory", _("Memory")
    BANDWIDTH = "bandwidth", _("Bandwidth")
    POWER = "tdp", _("Power")


class Fact(TextChoices):
    """Keys of a card that a source can stand behind."""

    RELEASE_DATE = "release_date", _("release date")
    KNOWLEDGE_CUTOFF = "knowledge_cutoff", _("knowledge cutoff")
    LICENCE = "licence", _("licence")
    INPUT_MODALITIES = "input_modalities", _("input modalities")
    OUTPUT_MODALITIES = "output_modalities", _("output modalities")
    TOTAL_PARAMETERS = "total_parameters", _("total parameters")
    TOTAL_LABEL = "total_label", _("published total")
    ACTIVE_PARAMETERS = "active_parameters", _("active parameters")
    ACTIVE_LABEL = "active_label", _("published active")
    CHECKPOINT_PARAMETERS = "checkpoint_parameters", _("numbers in the checkpoint")
    CONTEXT_TOKENS = "context_tokens", _("context length (tokens)")
    CONTEXT_EXTENDED_TOKENS = "context_extended_tokens", _("extended context (tokens)")
    CONFIG = "config", "config.json"
    ATTENTION = "attention", _("attention")
    NORMALIZATION = "normalization", _("normalisation")
    ACTIVATION = "activation", _("activation")
    POSITION_EMBEDDING = "position_embedding", _("position embedding")
    SUMMARY = "summary", _("summary")
    DESCRIPTION = "description", _("description")
    HF_REPO = "hf_repo", _("Hugging Face repository")
    MODELSCOPE_REPO = "modelscope_repo", _("ModelScope repository")
    GGUF_REPO = "gguf_repo", _("repository of GGUF files")
    OLLAMA_TAG = "ollama_tag", _("Ollama tag")
