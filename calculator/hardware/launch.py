"""The command that starts exactly the configuration a reader looks at.

Text only; nothing is run. Names come from the catalogue or from readers, so everything is quoted for the place
it stands in. What a reader must replace is listed in `placeholders`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from calculator.hardware.errors import HardwareError
from calculator.hardware.fit import Fit
from calculator.memory import Note, Workload
from calculator.memory.vllm import SEQUENCES_AT_ONCE

HUBS = ("huggingface", "modelscope")
ALL_LAYERS = 999
"""More than any model has: llama.cpp and Ollama read it as all layers."""

OLLAMA_KV_FORMATS = ("f16", "q8_0", "q4_0")

# `--kv-cache-dtype` of vLLM for our names; "auto" keeps the model's own.
VLLM_KV: Mapping[str, str] = {"FP8": "fp8", "FP8_E4M3": "fp8_e4m3", "FP8_E5M2": "fp8_e5m2"}
DTYPES: Mapping[str, str] = {
    "BF16": "bfloat16",
    "FP16": "float16",
    "F16": "float16",
    "FP32": "float32",
    "F32": "float32",
}

REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the weights lie: the original repository, one of GGUF files, one in the chosen weight format.

    `native_format` is how the original stores its weights (`Shape.native_format`).
    """

    name: str
    repository: str | None = None
    gguf: str | None = None
    quantised: str | None = None
    native_format: str = "BF16"
    multimodal: bool = False

    def __post_init__(self) -> None:
        for field in ("repository", "gguf", "quantised"):
            value = getattr(self, field)
            if value is not None and not REPOSITORY.fullmatch(value):
                raise HardwareError(field, "not_a_repository", value=value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`key` names the program, `language` how to highlight `text` (`shell`, `modelfile`, `python`)."""

    key: str
    language: str
    text: str
    placeholders: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


def launch_commands(
    workload: Workload, source: Source, *, hub: str = "huggingface", fit: Fit | None = None
) -> tuple[Command, ...]:
    """Commands for `workload`, whose defaults are resolved (`Estimate.workload`).

    With `fit` the commands split the model as it was placed and ask vLLM for as much memory as it takes.
    """
    if hub not in HUBS:
        raise HardwareError("hub", "unknown", value=hub, offered=HUBS)
    if fit is not None:
        workload = fit.workload
    if workload.engine == "llama.cpp":
        return (_llama_server(workload, source, hub), *_ollama(workload, source, hub))
    if workload.engine == "vllm":
        return (_vllm(workload, source, hub, _memory_percent(fit)),)
    return (_transformers(workload, source, hub),)


def _memory_percent(fit: Fit | None) -> int | None:
    """`--gpu-memory-utilization` in percent, where vLLM's default of 92 leaves too little."""
    if fit is None or fit.state != "tight" or fit.per_card_bytes is None:
        return None
    return min(99, -(-100 * fit.per_card_bytes // fit.card.usable_bytes))


def _llama_server(workload: Workload, source: Source, hub: str) -> Command:
    lines: list[str] = []
    placeholders: list[str] = []
    weight_format = workload.weight_format or ""
    if source.gguf and hub == "huggingface":
        arguments = ["-hf", f"{source.gguf}:{weight_format}"]
    else:
        # The file's exact name is the uploader's choice; a split file is named by its first part.
        file = file_name(source.name, weight_format)
        placeholders.append(file)
        if source.gguf:
            include = f"*{weight_format}*.gguf"
            download = ("modelscope", "download", "--model", source.gguf, "--include", include, "--local_dir", ".")
            lines.append(shlex.join(download))
        arguments = ["-m", file]
    # llama-server shares `-c` out among its slots, so each gets the context only if all of it is asked for.
    arguments += ["-c", str(workload.context_tokens * workload.sequences), "-np", str(workload.sequences)]
    if workload.sequences > 1:
        arguments.append("--no-kv-unified")
    arguments += ["-ngl", str(ALL_LAYERS if workload.gpu_layers is None else workload.gpu_layers)]
    if workload.cpu_expert_layers:
        arguments += ["--n-cpu-moe", str(workload.cpu_expert_layers)]
    arguments += ["-fa", "on"]
    key_format, value_format = workload.kv_format or "f16", workload.kv_v_format or workload.kv_format or "f16"
    if (key_format, value_format) != ("f16", "f16"):
        arguments += ["-ctk", key_format, "-ctv", value_format]
    if workload.micro_batch != 512:
        arguments += ["-ub", str(workload.micro_batch)]
    if workload.pipeline_parallel > 1:
        arguments += ["-sm", "layer"]
    if source.multimodal and workload.vision and "-m" in arguments:
        placeholders.append("mmproj.gguf")
        arguments += ["--mmproj", "mmproj.gguf"]
    elif source.multimodal and not workload.vision and "-hf" in arguments:
        arguments.append("--no-mmproj")
    lines.append(shlex.join(("llama-server", *arguments)))
    return Command(key="llama-server", language="shell", text="\n".join(lines), placeholders=tuple(placeholders))


def _ollama(workload: Workload, source: Source, hub: str) -> tuple[Command, ...]:
    """A Modelfile, and the server's settings that a Modelfile cannot hold."""
    weight_format = workload.weight_format or ""
    placeholders: tuple[str, ...] = ()
    if source.gguf:
        origin = f"{'hf.co' if hub == 'huggingface' else 'modelscope.cn'}/{source.gguf}:{weight_format}"
    else:
        origin = f"./{file_name(source.name, weight_format)}"
        placeholders = (origin,)
    model = [f"FROM {origin}", f"PARAMETER num_ctx {workload.context_tokens}"]
    model.append(f"PARAMETER num_gpu {ALL_LAYERS if workload.gpu_layers is None else workload.gpu_layers}")
    notes = []
    key_format, value_format = workload.kv_format or "f16", workload.kv_v_format or workload.kv_format or "f16"
    if key_format != value_format or key_format not in OLLAMA_KV_FORMATS:
        notes.append(Note("ollama_kv_format", {"k": key_format, "v": value_format}))
    if workload.cpu_expert_layers:
        notes.append(Note("ollama_no_cpu_moe"))
    environment = [f"OLLAMA_NUM_PARALLEL={workload.sequences}", "OLLAMA_FLASH_ATTENTION=1"]
    if not notes and key_format != "f16":
        environment.append(f"OLLAMA_KV_CACHE_TYPE={key_format}")
    name = _slug(source.name)
    serve = [f"{' '.join(environment)} ollama serve &", f"ollama create {name} -f Modelfile", f"ollama run {name}"]
    text = "\n".join(model)
    return (
        Command(key="modelfile", language="modelfile", text=text, placeholders=placeholders, notes=tuple(notes)),
        Command(key="ollama", language="shell", text="\n".join(serve)),
    )


def _vllm(workload: Workload, source: Source, hub: str, memory_percent: int | None) -> Command:
    weight_format = (workload.weight_format or "").upper()
    repository, placeholders = _repository(source)
    notes = []
    arguments = ["serve", repository, "--max-model-len", str(workload.context_tokens)]
    if workload.sequences > SEQUENCES_AT_ONCE:  # the default; the estimate allows for that many in any case
        arguments += ["--max-num-seqs", str(workload.sequences)]
    if workload.batched_tokens is not None:
        arguments += ["--max-num-batched-tokens", str(workload.batched_tokens)]
    if weight_format in DTYPES:
        arguments += ["--dtype", DTYPES[weight_format]]
    elif source.quantised is None and not weight_format.startswith(source.native_format.upper()):
        # vLLM reads how a checkpoint is quantised from its own config.json. FP8 it also makes itself, while loading.
        if weight_format == "FP8":
            arguments += ["--quantization", "fp8"]
        elif weight_format:
            notes.append(Note("needs_checkpoint", {"format": weight_format}))
    kv_format = (workload.kv_format or "").upper()
    if kv_format in VLLM_KV:
        arguments += ["--kv-cache-dtype", VLLM_KV[kv_format]]
    if workload.tensor_parallel > 1:
        arguments += ["--tensor-parallel-size", str(workload.tensor_parallel)]
    if workload.pipeline_parallel > 1:
        arguments += ["--pipeline-parallel-size", str(workload.pipeline_parallel)]
    if memory_percent is not None:
        arguments += ["--gpu-memory-utilization", f"{memory_percent / 100:.2f}"]
    if source.multimodal and not workload.vision:
        arguments += ["--limit-mm-per-prompt", '{"image": 0, "video": 0}']
    text = shlex.join(("vllm", *arguments))
    if hub == "modelscope":
        text = f"VLLM_USE_MODELSCOPE=True {text}"
    return Command(key="vllm", language="shell", text=text, placeholders=placeholders, notes=tuple(notes))


def _transformers(workload: Workload, source: Source, hub: str) -> Command:
    repository, placeholders = _repository(source)
    library = "transformers" if hub == "huggingface" else "modelscope"
    auto = "AutoModelForImageTextToText" if source.multimodal and workload.vision else "AutoModelForCausalLM"
    names, options = [auto, "AutoTokenizer"], ['dtype="auto"', 'device_map="auto"']
    weight_format = (workload.weight_format or "").upper()
    if weight_format.startswith("NF4"):
        names.append("BitsAndBytesConfig")
        options.append('quantization_config=BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")')
    elif weight_format.startswith("INT8"):
        names.append("BitsAndBytesConfig")
        options.append("quantization_config=BitsAndBytesConfig(load_in_8bit=True)")
    elif weight_format in DTYPES:
        options[0] = f'dtype="{DTYPES[weight_format]}"'
    lines = [
        f"from {library} import {', '.join(names)}",
        "",
        f"repository = {repository!r}",
        "tokenizer = AutoTokenizer.from_pretrained(repository)",
        f"model = {auto}.from_pretrained(",
        "    repository,",
        *(f"    {option}," for option in options),
        ")",
        'prompt = tokenizer("...", return_tensors="pt").to(model.device)',
        f"output = model.generate(**prompt, max_length={workload.context_tokens})",
    ]
    return Command(key="transformers", language="python", text="\n".join(lines), placeholders=placeholders)


def _repository(source: Source) -> tuple[str, tuple[str, ...]]:
    repository = source.quantised or source.repository
    return (repository, ()) if repository else ("organisation/model", ("organisation/model",))


def _slug(name: str) -> str:
    """A name that Ollama accepts: lower case, digits, dots and dashes."""
    return "-".join(re.findall(r"[a-z0-9.]+", name.lower())) or "model"


def file_name(name: str, weight_format: str) -> str:
    """A GGUF file as uploaders like to name it; the exact name is theirs to choose."""
    return f"{_slug(name)}-{weight_format}.gguf"
