"""What transformers allocates on a CUDA card: `generate` of models with random weights, made from their config.json.

    pip install torch transformers accelerate peft bitsandbytes nvidia-ml-py
    python tests/reference/transformers_peaks.py WHAT OUT.jsonl [NAME ...]

WHAT is `context` (alone on the card: what is not the allocator's), `models` (any number of processes at once, sharing
the list; `--fraction` of the card each), `alone` (what needs most of the card), `loaded` (read from a checkpoint, also
in bitsandbytes' formats) or `training`.

Each line is one run: bytes of weights, `memory_allocated` before, and for each step (the first is the prompt) the peaks
of what was allocated and reserved. `layers` says how many layers were kept where the model was cut. `alive` lists what
of the prompt pass was allocated at its peak, by the line that allocated it. Models share one card in several processes:
the allocator's numbers are each process's own.
"""

import argparse
import fcntl
import gc
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, StoppingCriteria, StoppingCriteriaList
from transformers.initialization import no_init_weights

HERE = Path(__file__).resolve().parent
CONFIGS = Path(os.environ.get("CONFIGS", HERE.parent.parent / "calculator/reference/configs"))
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
CUDA = DEVICE == "cuda"
TINY = not CUDA  # a dry run: everything is shrunk
LONGEST_S = 15.0
Say = Callable[[dict], None]
Model = tuple[str, int | None, tuple[int, ...], dict]

# Name of the config, layers kept (None: all), lengths of the prompt, and what differs from a plain run.
SHORT, LONG, LONGER = (512, 4096), (512, 4096, 32768), (512, 4096, 32768, 131072)
MODELS: list[Model] = [
    ("llama-3-1-8b-instruct", 4, LONGER, {"batches": (1, 4), "padded": True, "eager": True}),
    ("gemma-3-12b-it", 6, LONG, {"batches": (1, 4), "eager": True}),
    ("qwen3-30b-a3b", 4, LONGER, {"batches": (1, 4), "experts": ("eager",)}),
    ("gpt-oss-20b", 4, (512, 4096, 8192), {"batches": (1, 4)}),
    ("deepseek-v2-lite-chat", 4, LONG, {"batches": (1, 4)}),
    ("qwen3-next-80b-a3b-instruct", 4, LONG, {"batches": (1, 4)}),
    ("mamba-codestral-7b-v0-1", 4, LONG, {"batches": (1, 4)}),
    ("nvidia-nemotron-nano-9b-v2", 15, LONG, {"batches": (1, 4)}),
    ("granite-4-0-h-tiny", 6, LONG, {"batches": (1, 4)}),
    ("qwen3-8b", 4, LONGER, {"batches": (1, 4)}),
    ("llama-3-1-8b-instruct", None, LONG, {}),
    ("gemma-4-31b-it", 6, LONG, {}),
    ("gemma-4-26b-a4b-it", 6, LONG, {}),
    ("gemma-4-e4b-it", None, LONG, {}),
    ("mistral-small-24b-instruct-2501", 4, LONGER, {}),
    ("phi-4-reasoning", 4, LONGER, {}),
    ("phi-4-mini-instruct", 4, LONG, {}),
    ("glm-4-5-air", 4, LONG, {}),
    ("glm-4-7-flash", 4, LONG, {}),
    ("moonlight-16b-a3b-instruct", 4, LONG, {}),
    ("qwen3-5-9b", 4, LONG, {}),
    ("qwen3-5-35b-a3b", 4, LONG, {}),
    ("gemma-2-9b-it", 4, LONG, {"eager": True}),
    ("mistral-7b-instruct-v0-1", 4, LONG, {}),
    ("mixtral-8x7b-instruct-v0-1", 4, LONG, {}),
    ("granite-3-3-8b-instruct", 4, LONG, {}),
    ("olmo-2-1124-7b-instruct", 4, LONG, {}),
    ("olmo-3-7b-instruct", 4, LONG, {}),
    ("aya-23-8b", 4, LONG, {}),
    ("qwen2-5-7b-instruct", 4, LONGER, {}),
    ("qwen3-0-6b", None, LONGER, {}),
    ("glm-4-9b-0414", 4, LONG, {}),
    ("falcon-40b-instruct", 4, LONG, {}),
    ("falcon-7b-instruct", 4, LONG, {}),
    ("pythia-6-9b", 4, LONG, {}),
    ("opt-125m", None, (512, 1536), {}),
    ("bloom-560m", None, SHORT, {}),
    ("gpt2-xl", 4, (512, 960), {}),
    ("phi-2", 4, SHORT, {}),
    ("starcoder2-7b", 4, LONG, {}),
    ("lfm2-2-6b", 4, LONG, {}),
    ("lfm2-8b-a1b", 4, LONG, {}),
    ("falcon-h1-7b-instruct", 4, LONG, {}),
    ("nvidia-nemotron-3-nano-30b-a3b-bf16", 7, LONG, {}),
    ("mamba-2-8b-hf", 2, (512, 2048), {}),
    ("llama-4-scout-instruct", 4, LONG, {}),
    ("minimax-m2-1", 2, LONG, {}),
    ("kimi-linear-48b-a3b-instruct", 4, LONG, {}),
    ("glm-5-3", 4, SHORT, {"keys": {"n_routed_experts": 32}}),
    ("deepseek-v3", 4, LONG, {"keys": {"n_routed_experts": 32, "n_group": 8}}),
    ("deepseek-v4-flash", 5, SHORT, {"keys": {"n_routed_experts": 32}}),
    ("exaone-4-5-33b", 4, LONG, {}),
    ("hunyuan-7b-instruct", 4, LONG, {}),
    ("jamba", 8, SHORT, {"config": "ai21-jamba-mini-1-5", "keys": {"num_experts": 4}}),
    ("qwen2-57b-a14b-instruct", 4, LONG, {}),
    ("gemma-3-1b-it", None, LONG, {}),
    ("smollm2-135m-instruct", None, LONG, {}),
    ("minicpm3-4b", 4, LONG, {}),
    ("olmoe-1b-7b-0924-instruct", None, LONG, {}),
    ("command-r", 2, LONG, {"config": "c4ai-command-a-03-2025"}),
    ("llama-3-1-70b-instruct", 2, LONGER, {}),
    ("gemma-3-4b-it", 6, (512,), {"image": True}),
    ("qwen2-5-vl-3b-instruct", 4, (512,), {"image": True}),
    ("qwen3-vl-2b-instruct", 4, (512,), {"image": True}),
]

# With the whole card for each: whole models, and prompts that need much of it.
ALONE: list[Model] = [
    ("llama-3-1-8b-instruct", None, (4096, 131072), {}),
    ("gemma-3-12b-it", 6, (65536,), {}),
    ("mistral-small-24b-instruct-2501", 4, (65536,), {}),
    ("gpt-oss-20b", 4, (8192, 16384), {}),
    ("llama-4-scout-instruct", 4, (32768,), {}),
    ("deepseek-v3", 4, (32768,), {"keys": {"n_routed_experts": 32, "n_group": 8}}),
    ("glm-4-5-air", 4, (32768,), {}),
    ("kimi-linear-48b-a3b-instruct", 4, (16384,), {}),
    ("falcon-7b-instruct", 4, (8192,), {}),
    ("qwen3-30b-a3b", None, (512, 4096, 32768), {}),
    ("gpt-oss-20b", None, (512, 4096, 8192), {}),
    ("mistral-small-24b-instruct-2501", None, (4096, 32768), {}),
    ("gemma-3-27b-it", None, (512, 4096, 32768), {}),
    ("qwen3-32b", None, (4096, 32768), {}),
    ("deepseek-v2-lite-chat", None, (4096, 32768), {}),
    ("nvidia-nemotron-nano-9b-v2", None, (4096, 32768), {}),
    ("qwen3-5-9b", None, (4096, 32768), {}),
    ("gemma-4-26b-a4b-it", None, (4096, 32768), {}),
    ("gemma-4-12b-it", 6, (512, 4096, 32768), {}),
    ("phi-4-reasoning", None, (4096, 32768), {"batches": (1, 4)}),
    ("opt-125m", None, (512, 1536), {}),
    ("gpt2-xl", 4, (512, 960), {}),
]


def device_used() -> int | None:
    """Of the whole card, by NVML."""
    try:
        import pynvml

        pynvml.nvmlInit()
        return pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByIndex(0)).used
    except Exception:
        return None


def process_used() -> int | None:
    """Of this process, by NVML, where it is told."""
    try:
        import pynvml

        pynvml.nvmlInit()
        found = pynvml.nvmlDeviceGetComputeRunningProcesses(pynvml.nvmlDeviceGetHandleByIndex(0))
        return next((each.usedGpuMemory for each in found if each.pid == os.getpid()), None)
    except Exception:
        return None


def cut(raw: dict, layers: int | None) -> dict:
    """The config with its first `layers` layers."""
    if layers is None:
        return raw
    text = raw.get("text_config", raw)
    pattern = text.get("hybrid_override_pattern") or text.get("layers_block_type") or ()
    for name in ("num_hidden_layers", "n_layer", "n_layers"):
        if name in text or (name == "num_hidden_layers" and pattern):
            whole = text.get(name) or len(pattern)
            for key, value in list(text.items()):
                if isinstance(value, (list, str)) and len(value) == whole and key != "model_type":
                    text[key] = value[:layers]
                elif isinstance(value, dict) and value and all(index.isdigit() for index in value):
                    text[key] = {index: each for index, each in value.items() if int(index) < layers}
            if name in text:
                text[name] = layers
    linear = text.get("linear_attn_config")
    if isinstance(linear, dict):
        for key, value in linear.items():
            if isinstance(value, list):
                linear[key] = [index for index in value if index <= layers]
    return raw


def shrink(raw: dict, image: bool) -> dict:
    """For a dry run on a CPU."""
    for part in (raw, raw.get("text_config", {})):
        if "vocab_size" in part and not image:
            part["vocab_size"] = 512
        for key in ("n_routed_experts", "num_experts", "num_local_experts"):
            if isinstance(part.get(key), int):
                part[key] = min(part[key], 8)
        for key in ("intermediate_size", "moe_intermediate_size"):
            if isinstance(part.get(key), int):
                part[key] = min(part[key], 256)
        if isinstance(part.get("hidden_size"), int) and not {"mamba_expand", "expand", "mamba_d_ssm"} & set(part):
            heads = part.get("num_attention_heads") or part.get("n_head") or 1
            part["hidden_size"] = part["hidden_size"] if image else 8 * heads
        if "depth" in part:
            part["depth"] = 2
    vision = raw.get("vision_config")
    if isinstance(vision, dict):
        for key in ("num_hidden_layers", "depth"):
            if key in vision:
                vision[key] = 2
        vision["fullatt_block_indexes"] = [1]
        vision["deepstack_visual_indexes"] = [0]
    return raw


def config_of(name: str, layers: int | None, options: dict) -> Any:
    path = next(CONFIGS.rglob(f"{options.get('config', name)}.json"))
    raw = json.loads(path.read_text())
    for key in ("quantization_config", "auto_map", "torch_dtype", "dtype"):
        raw.pop(key, None)
    for key, value in options.get("keys", {}).items():
        (raw["text_config"] if key in raw.get("text_config", {}) else raw)[key] = value
    raw = cut(raw, layers)
    if TINY:
        raw = shrink(raw, options.get("image", False))
    return AutoConfig.for_model(raw.pop("model_type"), **raw)


def build(config: Any, *, image: bool = False, **named: Any) -> Any:
    """A model in bf16 whose weights are small random numbers, written by the card."""
    plain = type(config) in transformers.MODEL_FOR_CAUSAL_LM_MAPPING
    auto = AutoModelForCausalLM if plain and not image else transformers.AutoModelForImageTextToText
    with torch.device(DEVICE), no_init_weights():
        model = auto.from_config(config, dtype=torch.bfloat16, **named)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.zero_() if TINY else tensor.normal_(0, 0.02)
    model.tie_weights()  # which is left out where nothing is initialised
    model.eval()
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model


def storages(tensors: Iterable[Any]) -> int:
    """Bytes of what they lie in, each counted once."""
    found = {each.untyped_storage().data_ptr(): each.untyped_storage().nbytes() for each in tensors}
    return sum(found.values())


def cache_tensors(held: Any, seen: set[int] | None = None) -> Iterator[Any]:
    """Everything a cache keeps."""
    seen = set() if seen is None else seen
    if id(held) in seen:
        return
    seen.add(id(held))
    if isinstance(held, torch.Tensor):
        yield held
    elif isinstance(held, (list, tuple)):
        for each in held:
            yield from cache_tensors(each, seen)
    elif isinstance(held, dict):
        for each in held.values():
            yield from cache_tensors(each, seen)
    elif (
        hasattr(held, "__dict__")
        and type(held).__module__.startswith("transformers")
        and "config" not in type(held).__name__.lower()
    ):
        yield from cache_tensors(list(vars(held).values()), seen)


class Steps(StoppingCriteria):
    """Reads and resets the peaks after each token."""

    def __init__(self) -> None:
        self.found: list[list[int]] = []

    def __call__(self, input_ids: Any, scores: Any, **named: Any) -> Any:
        if CUDA:
            torch.cuda.synchronize()
            self.found.append(
                [torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved(), torch.cuda.memory_allocated()]
            )
            torch.cuda.reset_peak_memory_stats()
        else:
            self.found.append([0, 0, 0])
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)


def clear() -> None:
    gc.collect()
    if CUDA:
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def inputs_of(model: Any, tokens: int, batch: int, padded: bool, image: bool) -> dict:
    vocabulary = min(model.config.get_text_config().vocab_size, 30000)
    ids = torch.randint(10, vocabulary, (batch, tokens), device=DEVICE)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if padded:
        inputs["attention_mask"][0, : tokens // 4] = 0
    if image:
        inputs |= picture(model, ids)
    return inputs


def picture(model: Any, ids: Any) -> dict:
    """One image of about 896 x 896, as each processor would hand it over."""
    config, vision = model.config, model.config.vision_config
    kinds = torch.zeros_like(ids)
    if config.model_type == "gemma3":
        count = config.mm_tokens_per_image
        ids[:, 1 : 1 + count] = (
            config.image_token_index if hasattr(config, "image_token_index") else config.image_token_id
        )
        kinds[:, 1 : 1 + count] = 1
        side = vision.image_size
        return {
            "pixel_values": torch.randn(1, 3, side, side, device=DEVICE, dtype=torch.bfloat16),
            "token_type_ids": kinds,
        }
    merge = vision.spatial_merge_size
    side = 32 * merge if not TINY else 4 * merge
    side = min(side, 20 * merge)
    count = (side // merge) ** 2
    width = 3 * getattr(vision, "temporal_patch_size", 2) * vision.patch_size**2
    ids[:, 1 : 1 + count] = config.image_token_id
    kinds[:, 1 : 1 + count] = 1
    return {
        "pixel_values": torch.randn(side * side, width, device=DEVICE, dtype=torch.bfloat16),
        "image_grid_thw": torch.tensor([[1, side, side]], device=DEVICE),
        "mm_token_type_ids": kinds,
    }


def run(model: Any, tokens: int, batch: int, *, padded: bool = False, image: bool = False, alive: bool = False) -> dict:
    clear()
    inputs = inputs_of(model, tokens, batch, padded, image)
    steps = Steps()
    before = torch.cuda.memory_allocated() if CUDA else 0
    reserved = torch.cuda.memory_reserved() if CUDA else 0
    retries = torch.cuda.memory_stats().get("num_alloc_retries", 0) if CUDA else 0
    if alive and CUDA:
        torch.cuda.memory._record_memory_history(
            enabled="all", context="alloc", stacks="python", max_entries=400000, clear_history=True
        )
    started = time.monotonic()
    try:
        with torch.no_grad():
            answer = model.generate(
                **inputs,
                max_new_tokens=1 if alive else 4,
                do_sample=False,
                return_dict_in_generate=True,
                stopping_criteria=StoppingCriteriaList([steps]),
            )
        seconds = time.monotonic() - started
        record = {
            "tokens": tokens,
            "sequences": batch,
            "before": before,
            "reserved_before": reserved,
            "steps": steps.found,
        }
        record["seconds"] = round(seconds, 2)
        if padded:
            record["padded"] = True
        if image:
            record["image"] = {key: list(value.shape) for key, value in inputs.items() if key == "pixel_values"}
        if CUDA:
            record["retries"] = torch.cuda.memory_stats().get("num_alloc_retries", 0) - retries
        held = getattr(answer, "past_key_values", None)
        if held is not None:
            record["cache"] = storages(list(cache_tensors(held)))
        if alive and CUDA:
            record["alive"] = alive_at_peak(torch.cuda.memory._snapshot()["device_traces"][0])
        return record
    finally:
        if alive and CUDA:
            torch.cuda.memory._record_memory_history(enabled=None)


def alive_at_peak(trace: list) -> list:
    """[bytes, line that allocated, count], largest first, of what was allocated since the trace began."""
    held: dict[int, int] = {}
    at: dict[tuple[int, str], int] = {}
    total = peak = 0
    best = 0
    for index, event in enumerate(trace):
        if event["action"] == "alloc":
            held[event["addr"]] = index
            total += event["size"]
            if total > peak:
                peak, best = total, index
        elif event["action"] == "free_requested" and event["addr"] in held:
            total -= trace[held.pop(event["addr"])]["size"]
    held = {}
    for index, event in enumerate(trace[: best + 1]):
        if event["action"] == "alloc":
            held[event["addr"]] = index
        elif event["action"] == "free_requested":
            held.pop(event["addr"], None)
    for index in held.values():
        event = trace[index]
        frames = [
            f"{Path(frame['filename']).stem}.{frame['name']}:{frame['line']}"
            for frame in event.get("frames", ())
            if "transformers" in frame["filename"] or "torch/nn/functional" in frame["filename"]
        ]
        frames = [each for each in frames if "generic." not in each and "_decorators" not in each][:3]
        key = (event["size"], " < ".join(frames))
        at[key] = at.get(key, 0) + 1
    largest = sorted(((size, where, count) for (size, where), count in at.items()), key=lambda each: -each[0] * each[2])
    return [list(each) for each in largest[:40] if each[0] * each[2] > peak // 400]


def measure(name: str, layers: int | None, lengths: tuple[int, ...], options: dict, say: Say) -> None:
    image = options.get("image", False)
    experts = options.get("experts", (None,))
    variants: list[tuple[str | None, str | None]] = [(None, kind) for kind in experts]
    if options.get("experts"):
        variants = [(None, None), *variants]
    if options.get("eager"):
        variants.append(("eager", None))
    if TINY:
        lengths = (16,)
    for attention, expert in variants:
        named = {} if attention is None else {"attn_implementation": attention}
        if expert:
            named["experts_implementation"] = expert
        started = time.monotonic()
        model = build(config_of(name, layers, options), image=image, **named)
        text = model.config.get_text_config()
        base = {
            "config": options.get("config", name),
            "class": type(model).__name__,
            "layers": layers,
            "keys": options.get("keys", {}),
            "attention": getattr(text, "_attn_implementation", None),
            "experts": getattr(text, "_experts_implementation", None),
            "parameters_bytes": storages(model.parameters()),
            "buffers_bytes": storages(model.buffers()),
            "build_s": round(time.monotonic() - started, 2),
        }
        allocated = torch.cuda.memory_allocated() if CUDA else 0
        warm = 448 if image else 16
        try:
            run(model, warm, 1, image=image)
            clear()
            base["workspaces"] = (torch.cuda.memory_allocated() if CUDA else 0) - allocated
            plain = attention is None and expert is None
            batches = options.get("batches", (1,)) if plain else (1,)
            for batch in batches:
                last = None
                for tokens in lengths:
                    if (attention == "eager" or batch > 1) and tokens > 8192 and not (plain and tokens < 100000):
                        continue
                    if expert in ("eager", "batched_mm") and tokens > 4096:
                        continue
                    if last and last[1] * (tokens / last[0]) ** 2 > LONGEST_S and tokens > 4096 and last[1] > 1:
                        say(base | {"tokens": tokens, "sequences": batch, "skipped": "would take too long"})
                        continue
                    try:
                        found = run(model, tokens, batch, image=image)
                        last = tokens, found["seconds"]
                        say(base | found)
                    except torch.OutOfMemoryError as error:
                        asked = str(error).split(". GPU")[0]
                        say(base | {"tokens": tokens, "sequences": batch, "out_of_memory": asked[:200]})
                        break
                if plain and options.get("padded"):
                    say(base | run(model, min(4096, lengths[-1]), 4, padded=True))
            trace = max((each for each in lengths if each <= 4096), default=4096)
            say(base | run(model, trace, 1, image=image, alive=True))
        finally:
            del model
            clear()


def context(say: Say) -> None:
    """What a process takes of the card beside what its allocator reserves."""
    before = device_used()
    torch.cuda.init()
    torch.zeros(1, device="cuda")

    def tell(after: str) -> None:
        torch.cuda.synchronize()
        free, total = torch.cuda.mem_get_info()
        reserved = torch.cuda.memory_reserved()
        used = device_used()
        say(
            {
                "context": after,
                "beside": None if used is None or before is None else used - before - reserved,
                "used_before": before,
                "process": process_used(),
                "free": free,
                "total": total,
                "reserved": reserved,
                "allocated": torch.cuda.memory_allocated(),
            }
        )

    tell("created")
    a = torch.randn(4096, 4096, device="cuda", dtype=torch.bfloat16)
    held = torch.cuda.memory_allocated()
    b = a @ a
    torch.cuda.synchronize()
    say({"cublas_bytes": torch.cuda.memory_allocated() - held - b.untyped_storage().nbytes()})
    tell("matmul")
    del a, b
    for name in ("llama-3-1-8b-instruct", "qwen3-30b-a3b", "gemma-3-12b-it", "qwen3-next-80b-a3b-instruct"):
        layers = {"gemma-3-12b-it": 6}.get(name, 4)
        model = build(config_of(name, layers, {}))
        run(model, 4096, 1)
        del model
        clear()
        tell(name)


def loaded(say: Say) -> None:
    """What `from_pretrained` reserves while it reads a checkpoint, as it is and with bitsandbytes' formats."""
    from transformers import BitsAndBytesConfig

    for name, layers in (("llama-3-1-8b-instruct", 4), ("qwen3-8b", 8)):
        model = build(config_of(name, layers, {}))
        checkpoint = tempfile.TemporaryDirectory()
        model.save_pretrained(checkpoint.name)
        del model
        clear()
        four = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)
        eight = BitsAndBytesConfig(load_in_8bit=True)
        formats = {"bf16": {}, "NF4": {"quantization_config": four}, "INT8": {"quantization_config": eight}}
        for kept, named in formats.items():
            try:
                held = torch.cuda.memory_allocated()
                model = AutoModelForCausalLM.from_pretrained(
                    checkpoint.name, dtype=torch.bfloat16, device_map="cuda", **named
                )
                base = {
                    "config": name,
                    "layers": layers,
                    "weight_format": kept,
                    "attention": "sdpa",
                    "held_before": held,
                    "loaded": torch.cuda.memory_allocated() - held,
                    "loading_peak": torch.cuda.max_memory_allocated() - held,
                    "loading_reserved": torch.cuda.max_memory_reserved(),
                    "parameters_bytes": storages(model.parameters()),
                    "buffers_bytes": storages(model.buffers()),
                }
                model.generation_config.eos_token_id = None
                model.generation_config.pad_token_id = 0
                run(model, 16, 1)
                for tokens in (512, 4096, 32768):
                    say(base | run(model, tokens, 1))
                say(base | run(model, 4096, 4))
                say(base | run(model, 4096, 1, alive=True))
            except Exception as error:
                say({"config": name, "weight_format": kept, "failed": f"{type(error).__name__}: {error}"[:300]})
            model = None
            clear()
        checkpoint.cleanup()


def training(say: Say) -> None:
    """Two steps of AdamW, as `calculator/reference/training.jsonl` has traced."""
    from peft import LoraConfig, get_peft_model

    cases = [
        ("llama-3-2-3b-instruct", "lora", "none", 1024, 1),
        ("llama-3-2-3b-instruct", "full", "none", 1024, 1),
        ("llama-3-1-8b-instruct", "lora", "layers", 2048, 1),
        ("qwen3-8b", "lora", "none", 1024, 1),
        ("qwen3-0-6b", "lora", "layers", 4096, 1),
        ("qwen2-5-7b-instruct", "lora", "none", 1024, 1),
    ]
    for name, method, checkpointing, tokens, batch in cases:
        clear()
        config = config_of(name, 2 if TINY else None, {})
        model = build(config)
        model.config.use_cache = False
        if method == "lora":
            targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
            model = get_peft_model(model, LoraConfig(r=16, target_modules=targets, task_type="CAUSAL_LM"))
        if checkpointing == "layers":
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
            if method == "lora":
                model.enable_input_require_grads()
        model.train()
        learns = [each for each in model.parameters() if each.requires_grad]
        optimiser = torch.optim.AdamW(learns)
        ids = torch.randint(10, 500, (batch, 64 if TINY else tokens), device=DEVICE)
        clear()
        loaded = torch.cuda.memory_allocated() if CUDA else 0
        for _ in range(2):
            with torch.autocast(DEVICE, dtype=torch.bfloat16):
                loss = model(input_ids=ids, labels=ids).loss
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
        if CUDA:
            torch.cuda.synchronize()
        say(
            {
                "training": method,
                "config": name,
                "checkpointing": checkpointing,
                "tokens": tokens,
                "sequences": batch,
                "loaded": loaded,
                "peak": torch.cuda.max_memory_allocated() if CUDA else 0,
                "reserved": torch.cuda.max_memory_reserved() if CUDA else 0,
            }
        )
        del model, optimiser, learns, loss, ids


def next_model(path: Path) -> int:
    """The next index that no process beside this one has taken."""
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        index = int(file.read() or 0)
        file.seek(0)
        file.truncate()
        file.write(str(index + 1))
        return index


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("context", "models", "alone", "loaded", "training"))
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--fraction", type=float, default=0.0, help="of the card, where several share it")
    parser.add_argument("--until", type=float, default=1e12, help="seconds since the epoch; no model begins later")
    parser.add_argument("--counter", type=Path, default=Path(tempfile.gettempdir(), "transformers_peaks.next"))
    asked = parser.parse_args()
    began = time.monotonic()
    with asked.out.open("a") as out:

        def say(record: dict) -> None:
            out.write(json.dumps(record | {"at": round(time.monotonic() - began, 1)}) + "\n")
            out.flush()

        say(
            {
                "card": torch.cuda.get_device_name() if CUDA else None,
                "multiprocessors": torch.cuda.get_device_properties(0).multi_processor_count if CUDA else None,
                "torch": torch.__version__,
                "transformers": transformers.__version__,
                "python": platform.python_version(),
                "date": time.strftime("%Y-%m-%d", time.gmtime()),
            }
            if asked.what != "context"
            else {"transformers": transformers.__version__}
        )
        if asked.what == "context":
            context(say)
            return
        if CUDA and asked.fraction:
            torch.cuda.set_per_process_memory_fraction(asked.fraction)
        if asked.what in ("training", "loaded"):
            (training if asked.what == "training" else loaded)(say)
            return
        every = ALONE if asked.what == "alone" else MODELS
        while time.time() < asked.until:
            chosen = [each for each in every if not asked.names or each[0] in asked.names]
            index = next_model(asked.counter)
            if index >= len(chosen):
                return
            name, layers, lengths, options = chosen[index]
            try:
                measure(name, layers, lengths, options, say)
            except Exception as error:
                say({"config": name, "layers": layers, "failed": f"{type(error).__name__}: {error}"[:300]})
                if not CUDA:
                    print(name, type(error).__name__, str(error)[:200], file=sys.stderr)
            clear()


if __name__ == "__main__":
    main()
