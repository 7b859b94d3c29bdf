"""What transformers allocates on a CUDA card: `generate` of models with random weights, made from their config.json.

    pip install torch transformers accelerate peft bitsandbytes nvidia-ml-py
    python -m tests.reference.transformers_peaks WHAT OUT.jsonl [NAME ...]

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
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM

from tests.reference.transformers_built import CUDA, DEVICE, TINY, build, config_of
from tests.reference.transformers_models import ALONE, MODELS
from tests.reference.transformers_run import (
    LONGEST_S,
    clear,
    device_used,
    process_used,
    run,
    storages,
)

Say = Callable[[dict], None]


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
