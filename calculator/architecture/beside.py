"""What lies beside config.json.

`hf_quant_config.json`, which ModelOpt writes: several checkpoints say only there how they are quantised. vLLM looks for
it where config.json has no `quantization_config` (`model_loader/weight_utils.py`, `get_quant_config`). And the index or
the header of safetensors files, which say how many bytes the checkpoint holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from calculator.architecture.errors import ConfigError, Fault
from calculator.architecture.other_files import is_index, is_quantization, is_safetensors_header
from calculator.architecture.parse import parse_config_text
from calculator.architecture.shape import Shape

NAME = "hf_quant_config.json"
LARGEST = 10**15  # bytes of a checkpoint: a thousand times the largest published one


def parse_beside(text: str | bytes) -> dict[str, object]:
    """As `parse_config_text`, but faults name this file."""
    try:
        return parse_config_text(text)
    except ConfigError as error:
        raise ConfigError.collect(Fault(NAME, fault.reason, fault.values) for fault in error.faults) from None


def with_quantization(config: Mapping[str, object], beside: Mapping[str, object]) -> dict[str, object]:
    """The config with what stands beside it; both where both speak, the file of its own going before."""
    if stores_checkpoint(beside):
        return dict(config)
    if not is_quantization(beside):
        raise ConfigError(NAME, "not_a_quantization")
    inner = beside.get("quantization")
    stated = {**beside, **(inner if isinstance(inner, Mapping) else {})}
    stated.pop("quantization", None)
    own = config.get("quantization_config")
    known = own if isinstance(own, Mapping) else {}
    return {**config, "quantization_config": {"quant_method": "modelopt", **known, **stated}}


def stores_checkpoint(beside: Mapping[str, object]) -> bool:
    """An index or a header of safetensors files."""
    return is_index(beside) or is_safetensors_header(beside)


def stored_bytes(beside: Mapping[str, object]) -> int:
    """Bytes of all tensors: the index counts them (`metadata.total_size`), a header says where the data of each of its
    own begin and end. Raises ConfigError where neither does."""
    if is_index(beside):
        metadata = beside.get("metadata")
        total = metadata.get("total_size") if isinstance(metadata, Mapping) else None
        whole = int(total) if isinstance(total, float) and total.is_integer() else total  # some write 16060522496.0
        if type(whole) is not int or not 0 < whole < LARGEST:
            raise ConfigError("metadata.total_size", "not_an_integer", value=str(total)[:40])
        return whole
    return sum(_span(name, tensor) for name, tensor in beside.items() if isinstance(tensor, Mapping))


def _span(name: str, tensor: Mapping[str, object]) -> int:
    if name == "__metadata__":
        return 0
    match tensor.get("data_offsets"):
        case [int(begin), int(end)] if 0 <= begin <= end < LARGEST:
            return end - begin
        case _:
            raise ConfigError(f"{name[:80]}.data_offsets", "not_a_list", value=str(tensor.get("data_offsets"))[:40])


def with_stored(shape: Shape, beside: Mapping[str, object]) -> Shape:
    """The shape with a remark on what its checkpoint holds, where that was given."""
    if not stores_checkpoint(beside):
        return shape
    size = stored_bytes(beside)
    kind = "checkpoint_stores" if is_index(beside) else "file_stores"
    return replace(shape, assumptions=(*shape.assumptions, f"{kind}:{size / 10**9:,.2f} GB ({size:,} B)"))
