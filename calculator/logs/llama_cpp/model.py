"""What llama.cpp prints of the file it loads: names, shape, type and size."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from calculator.logs.names import bare_names, is_own_mixture, preset_of_name, preset_of_type
from calculator.logs.reading import Printed, Setting
from calculator.logs.units import AMOUNT, amount

SHAPE = {
    "n_layer": "num_layers",
    "n_embd": "hidden_size",
    "n_head": "num_heads",
    "n_head_kv": "num_kv_heads",
    "n_ff": "intermediate_size",
    "n_vocab": "vocab_size",
    "n_expert": "num_experts",
    "n_expert_used": "num_active_experts",
    "n_swa": "sliding_window",
    "block_count": "num_layers",
    "embedding_length": "hidden_size",
    "attention.head_count": "num_heads",
    "attention.head_count_kv": "num_kv_heads",
    "feed_forward_length": "intermediate_size",
    "expert_count": "num_experts",
    "expert_used_count": "num_active_experts",
}
"""As printed and as a GGUF file's keys -> our words."""

PRINTED = re.compile(r"(?:print_info|llm_load_print_meta): (n_\w{1,16}) = (\d{1,9})\b")
PRINTED_LIST = re.compile(r"(?:print_info|llm_load_print_meta): (n_head(?:_kv)?) = \[")
KEY_VALUE = re.compile(r"- kv +\d{1,4}: [\w.-]{1,40}?\.([a-z_.]{4,24}) [ui]\d{1,2} = (\d{1,9})$")
NAME = re.compile(
    r"general\.name (?:str )?= (.{1,120})$|general\.base_model\.0\.(?:repo_url str|name str) = (.{1,160})$"
)
PATH = re.compile(
    r"loaded meta data with .{1,60} from (.{1,400}?) \(version|loading model '([^']{1,400})'"
    r"|(?<![\w-])(?:--model|-m|--hf-repo|-hfr?) ([^\s\"']{3,300})|\"model_filename\": \"([^\"]{3,300})\""
)
BLOB = re.compile(r"sha256[-:]([0-9a-f]{12,64})")
TYPE = re.compile(r"(?:file type|model ftype|\bftype) ?= (.{2,60}?)(?:;|$)")
SIZE = re.compile(rf"(?:file size|model size) = {AMOUNT}")
PARAMETERS = re.compile(r"model params = (\d{1,6}(?:\.\d{1,4})?) ([KMBT])\b")
MTP = re.compile(r"nextn_predict_layers u32 = [1-9]|n_layer_nextn = [1-9]|nextn_predict_layers = [1-9]")
SCALE = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


@dataclass(slots=True)
class Model:
    """What was printed of one file; `paths` and `titles` are its names as they were written."""

    paths: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    blob: str = ""
    said_type: str = ""
    shown: dict[str, int] = field(default_factory=dict)
    size: Printed | None = None
    traits: set[str] = field(default_factory=set)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for each in (*self.paths, *self.titles) for name in bare_names(each)))

    @property
    def settings(self) -> dict[str, Setting]:
        """The preset: as printed, else from the name of the file."""
        of_name = next(filter(None, map(preset_of_name, self.paths)), "")
        preset = preset_of_type(self.said_type) if self.said_type else of_name
        return {"weight_format": preset} if preset else {}

    @property
    def printed(self) -> tuple[Printed, ...]:
        return (self.size,) if self.size else ()


def model_of(lines: Iterable[str]) -> Model:
    """Everything that was printed of the model and its file; what is printed twice counts once."""
    model = Model()
    uneven: set[str] = set()
    for line in lines:
        if found := PRINTED_LIST.search(line):  # heads that differ from layer to layer
            uneven.add(SHAPE[found[1]])
        elif (found := PRINTED.search(line)) and found[1] in SHAPE:
            model.shown[SHAPE[found[1]]] = int(found[2])
        elif (found := KEY_VALUE.search(line)) and found[1] in SHAPE:
            model.shown.setdefault(SHAPE[found[1]], int(found[2]))
        if found := NAME.search(line):
            model.titles.append(found[1] or found[2])
        if found := PATH.search(line):
            model.paths.append(next(group for group in found.groups() if group))
        if MTP.search(line):
            model.traits.add("multi_token_prediction")
        _file(line, model)
        read_row(line, model)
    if any(map(is_own_mixture, model.paths)):
        model.traits.add("own_mixture")
    model.shown = {name: value for name, value in model.shown.items() if value and name not in uneven}
    return model


def _file(line: str, model: Model) -> None:
    if not model.blob and (found := BLOB.search(line)):
        model.blob = found[1]
    if not model.said_type and (found := TYPE.search(line)):
        model.said_type = found[1]
    if model.size is None and (found := SIZE.search(line)):
        model.size = file_size(found[1], found[2], found[0])
    if found := PARAMETERS.search(line):
        model.shown.setdefault("total_parameters", int(float(found[1]) * SCALE[found[2]]))


ROW = re.compile(rf"^\| ([\w.? -]{{3,60}}?) \| {AMOUNT} ?\| (\d{{1,6}}(?:\.\d{{1,4}})?) ([KMBT]) \|")
JSON = {
    "size": re.compile(r'"model_size": (\d{6,15})'),
    "total_parameters": re.compile(r'"model_n_params": (\d{6,15})'),
    "type": re.compile(r'"model_type": "([^"]{3,60})"'),
}
PRESET_IN_ROW = re.compile(r"(?:IQ|TQ|Q|BF|F|MXFP|NVFP)\d.{0,30}$")


def read_row(line: str, model: Model) -> None:
    """One row of llama-bench, as a table or as JSON (`tools/llama-bench/llama-bench.cpp`)."""
    said = ""
    if found := ROW.search(line):
        said = found[1]
        model.size = model.size or file_size(found[2], found[3], f"{found[2]} {found[3]}")
        model.shown.setdefault("total_parameters", int(float(found[4]) * SCALE[found[5]]))
    elif '"model_' in line:
        each = {name: found[1] for name, pattern in JSON.items() if (found := pattern.search(line))}
        said = each.get("type", "")
        if "size" in each:
            quote = f'"model_size": {each["size"]}'
            model.size = model.size or file_size(each["size"], "B", quote)
        if "total_parameters" in each:
            model.shown.setdefault("total_parameters", int(each["total_parameters"]))
    if said and not model.said_type and (preset := PRESET_IN_ROW.search(said)):
        model.said_type = preset[0]


def file_size(number: str, unit: str, quote: str) -> Printed:
    value, half = amount(number, unit)
    return Printed(quantity="file_bytes", value=value, resolution=half, quote=quote, place="all")
