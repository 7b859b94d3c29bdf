"""Which kind of draft head a config is of: by its class, its model type, or a key that no other file has.

Source: vLLM 0.33.0, `models/registry.py` (`_SPECULATIVE_DECODING_MODELS`) and `configs/speculators/algos.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from calculator.architecture.drafts.head import LATENT, LLAMA, QWEN2, QWEN3, trained_apart
from calculator.architecture.fields import Fields
from calculator.architecture.heads import class_named, names_draft
from calculator.architecture.other_files import other_model


def is_draft_head(config: object) -> bool:
    """Whether a parsed config.json is one of a draft head, readable here or not.

    It is told by its class, its model type, or a key that no other file has: a vocabulary of a draft's own. A file of
    EAGLE-1 that names its target's class and says nothing of its projection looks like a model with one layer.
    """
    if not isinstance(config, Mapping):
        return False
    model_type = config.get("model_type")
    if names_draft(config) or (isinstance(model_type, str) and other_model(model_type) == "draft_head"):
        return True
    return any(config.get(key) is not None for key in _MARKS) or is_first_eagle(config)


def is_first_eagle(config: Mapping[str, object]) -> bool:
    """EAGLE's own code asks its files for `bias`, of its projection, which no configuration class of a model has
    (SafeAILab/EAGLE, `model/ea_model.py`)."""
    return isinstance(config.get("bias"), bool) and config.get("num_hidden_layers") == 1 and names_target(config)


_MARKS = (
    *("draft_vocab_size", "truncated_vocab_size", "eagle_config"),
    *("dflash_config", "markov_rank", "medusa_num_heads", "speculators_model_type"),
)


_CLASSES: Mapping[str, tuple[str, str]] = {
    # Whose layers they are, as the code of that name has them: a file's model type may be its target's.
    **dict.fromkeys(("LlamaForCausalLMEagle", "EagleLlamaForCausalLM"), ("eagle", LLAMA)),
    **dict.fromkeys(("Qwen2ForCausalLMEagle", "EagleQwen2ForCausalLM"), ("eagle", QWEN2)),
    **dict.fromkeys(("LlamaForCausalLMEagle3", "Eagle3LlamaForCausalLM"), ("eagle3", LLAMA)),
    **dict.fromkeys(("Eagle3MiniMaxM2ForCausalLM", "Eagle3Qwen2_5vlForCausalLM"), ("eagle3", LLAMA)),
    **dict.fromkeys(("Eagle3Qwen3vlForCausalLM", "PEagleDraftModel", "PeagleLlamaForCausalLM"), ("eagle3", LLAMA)),
    **dict.fromkeys(("Eagle3Qwen3ForCausalLM", "PeagleQwen3ForCausalLM"), ("eagle3", QWEN3)),
    **dict.fromkeys(("Eagle3DeepseekV2ForCausalLM", "Eagle3DeepseekV3ForCausalLM"), ("eagle3", LATENT)),
    **dict.fromkeys(("DFlashDraftModel", "DFlash2DraftModel", "DominoDraftModel"), ("dflash", QWEN3)),
    **dict.fromkeys(("Qwen3DSparkModel", "Qwen3OmniDSparkModel"), ("dspark", QWEN3)),
    "MedusaModel": ("medusa", LLAMA),
}
_BY_WORD = {
    "eagle3": "eagle3",
    "peagle": "eagle3",
    "mtp": "mtp",
    "dflash": "dflash",
    "dflash2": "dflash",
    "dspark": "dspark",
}
_PLAIN = re.compile(r"^(?:Llama|Qwen[23])ForCausalLM$")  # the target's class, as the first files of each kind name it


def names_target(config: Mapping[str, object]) -> bool:
    """Whether the class is one of a model that heads of Llama's and Qwen's kind are trained for."""
    return bool(_PLAIN.search(class_named(config) or ""))


def kind_of_head(config: Mapping[str, object]) -> str | None:
    """Which kind of draft head it is, None for one whose layers are not known here."""
    name, word = class_named(config) or "", config.get("speculators_model_type")
    if isinstance(word, str):
        return _BY_WORD.get(word)
    if config.get("model_type") == "medusa" or config.get("medusa_num_heads") is not None:
        return "medusa"
    if name in _CLASSES:
        return _CLASSES[name][0]
    model_type = config.get("model_type")
    if name == "DSparkDraftModel":  # of SpecForge; of DeepSeek's own, too, whose layers are others
        return "dspark" if model_type == "qwen3" else None
    if re.search("(?i)mtp", name or str(model_type)) and not re.search("(?i)eagle", name):
        return "mtp"
    if name and not _PLAIN.search(name):
        return None
    if model_type == "eagle" and isinstance(config.get("model"), Mapping):
        return "eagle"
    if any(config.get(key) is not None for key in _MARKS[:3]):
        return "eagle3"
    return "eagle" if is_first_eagle(config) else None


def layers_like(outer: Fields, inner: Fields) -> str:
    """The model type whose layers the head has: its class says it, or where that is the target's or speculators', the
    part that describes them."""
    name = class_named(outer.config) or ""
    if name in _CLASSES and not trained_apart(outer):
        return _CLASSES[name][1]
    named = class_named(inner.config) or name
    plain = next((kind for word, kind in _PLAIN_CLASSES.items() if named.startswith(word)), None)
    if plain is not None and not trained_apart(outer):
        return plain
    stated = inner.config.get("model_type", LLAMA)
    if stated not in (LLAMA, QWEN2, QWEN3):
        raise inner.fail("model_type", "unknown_model_type", value=str(stated)[:80])
    return str(stated)


_PLAIN_CLASSES = {"LlamaForCausalLM": LLAMA, "Qwen2ForCausalLM": QWEN2, "Qwen3ForCausalLM": QWEN3}
