"""What stands on top of the layers: `architectures` names the class that the file is for, and the class its head.

Sources: transformers 5.24.0, `modeling_layers.py` (`GenericForSequenceClassification`: `score`, without a bias) and the
`*Model` classes, which end with the last norm; vLLM 0.33.0, `models/registry.py` (`_SPECULATIVE_DECODING_MODELS`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from calculator.architecture.errors import ConfigError
from calculator.architecture.tensors import Weight, linear

_DRAFT = re.compile(r"(?i)eagle|dflash|dspark|medusa|mtp(?:draft)?model|speculator|mlpspec")
_CLASSIFIER = re.compile(r"For(Sequence|Token)Classification$|For(Process)?RewardModel$|ForReward$|RewardModel$")
_BARE = re.compile(
    r"(?<!LMHead)(?<!LMHeads)(?<!Chat)(?<!ChatGLM)(?<!Dream)(?<!LabsDiffusion)(?<!EncoderDecoder)Model$|ForTextEncoding$"
)
_GENERATES = re.compile(r"CausalLM|Seq2SeqLM|ImageTextToText|MultimodalLM|Vision2Seq")


def class_named(config: Mapping[str, object]) -> str | None:
    """The class that a file names first."""
    named = config.get("architectures")
    first = named[0] if isinstance(named, list) and named else None
    return first if isinstance(first, str) else None


def names_draft(config: Mapping[str, object]) -> bool:
    """Whether the class that a file names is one of a draft head."""
    return bool(_DRAFT.search(class_named(config) or ""))


def check_no_draft(config: Mapping[str, object]) -> None:
    """A draft head is loaded beside its target and borrows from it (`draft_heads` reads it): no model of its own."""
    if names_draft(config):
        raise ConfigError("architectures", "draft_head", value=(class_named(config) or "")[:80])


def has_language_head(config: Mapping[str, object]) -> bool:
    """Whether the class predicts tokens. Where a file maps its classes itself, a bare name may stand for one that does
    (`ChatGLMModel`)."""
    name = class_named(config) or ""
    if _CLASSIFIER.search(name):
        return False
    own = config.get("auto_map")
    maps = isinstance(own, Mapping) and any(_GENERATES.search(str(key)) for key in own)
    return maps or not _BARE.search(name)


def other_head(config: Mapping[str, object], hidden: int) -> tuple[Weight, ...]:
    """A classifier's: one output for each label. There are two unless the file counts or names them."""
    name = class_named(config) or ""
    if not re.search(r"For(Sequence|Token)Classification$", name):
        return ()
    names, number = config.get("id2label"), config.get("num_labels")
    labels = len(names) if isinstance(names, Mapping) and names else number
    return linear("cls.output", labels if type(labels) is int and 0 < labels < 2**20 else 2, hidden)
