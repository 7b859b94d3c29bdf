"""`hf_quant_config.json`, which ModelOpt writes beside config.json: several checkpoints say only there how they are
quantised. vLLM looks for it where config.json has no `quantization_config` (`model_loader/weight_utils.py`,
`get_quant_config`)."""

from __future__ import annotations

from collections.abc import Mapping

from calculator.architecture.errors import ConfigError, Fault
from calculator.architecture.other_files import is_quantization
from calculator.architecture.parse import parse_config_text

NAME = "hf_quant_config.json"


def parse_beside(text: str | bytes) -> dict[str, object]:
    """As `parse_config_text`, but faults name this file."""
    try:
        return parse_config_text(text)
    except ConfigError as error:
        raise ConfigError.collect(Fault(NAME, fault.reason, fault.values) for fault in error.faults) from None


def with_quantization(config: Mapping[str, object], beside: Mapping[str, object]) -> dict[str, object]:
    """The config with what stands beside it; both where both speak, the file of its own going before."""
    if not is_quantization(beside):
        raise ConfigError(NAME, "not_a_quantization")
    inner = beside.get("quantization")
    stated = {**beside, **(inner if isinstance(inner, Mapping) else {})}
    stated.pop("quantization", None)
    own = config.get("quantization_config")
    known = own if isinstance(own, Mapping) else {}
    return {**config, "quantization_config": {"quant_method": "modelopt", **known, **stated}}
