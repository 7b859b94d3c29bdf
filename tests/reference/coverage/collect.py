"""Writes which model types and architectures there are: `python -m tests.reference.coverage.collect > .../known.json`.

Of transformers every model type: the tasks that its automatic classes name it for, the class that writes text, and its
parts. Of vLLM the classes of `models/registry.py`, of llama.cpp `LLM_ARCH_NAMES` in `src/llama-arch.cpp`. Needs
transformers with PyTorch, the unpacked wheel of vLLM (`VLLM`: its folder) and that file of llama.cpp (`LLAMA_ARCH`, of
commit `LLAMA_COMMIT`), which the project itself does not.
"""

from __future__ import annotations

import ast
import json
import os
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import transformers
from transformers import CONFIG_MAPPING
from transformers.models.auto import modeling_auto

SECTIONS = {"_TEXT_GENERATION_MODELS": "text", "_MULTIMODAL_MODELS": "multimodal"}


def tasks() -> dict[str, dict[str, list[str]]]:
    """By task the classes of each model type; `MODEL_FOR_CAUSAL_LM_MAPPING_NAMES` is of the task `CAUSAL_LM`."""
    found = {}
    for name, by_type in vars(modeling_auto).items():
        task = name.removeprefix("MODEL_FOR_").removesuffix("_MAPPING_NAMES")
        if name.startswith("MODEL_FOR_") and name.endswith("_NAMES"):
            found[task] = {key: [one] if isinstance(one, str) else list(one) for key, one in by_type.items()}
    return found


def skeleton(config: dict[str, Any]) -> dict[str, Any]:
    """The model types of a config and its parts, nothing else."""
    parts = {key: skeleton(part) for key, part in config.items() if isinstance(part, dict) and "model_type" in part}
    return {"model_type": config["model_type"], **parts}


def model_types() -> dict[str, dict[str, Any]]:
    by_task, found = tasks(), {}
    for model_type, config_class in CONFIG_MAPPING.items():
        named = {task: classes[model_type] for task, classes in by_task.items() if model_type in classes}
        row: dict[str, Any] = {"tasks": sorted(named)}
        classes = sorted({one for task in ("CAUSAL_LM", "MULTIMODAL_LM") for one in named.get(task, ())})
        if classes:
            row["classes"] = classes
        try:
            config = config_class()
        except Exception:  # two cannot be made without values
            config = None
        if config is not None:
            if getattr(config, "is_encoder_decoder", False):
                row["encoder_decoder"] = True
            parts = skeleton({**config.to_dict(), "model_type": model_type})
            row |= (
                {"parts": {key: part for key, part in parts.items() if key != "model_type"}} if len(parts) > 1 else {}
            )
        found[model_type] = row
    return found


def vllm_classes(folder: Path) -> dict[str, list[str]]:
    source = (folder / "model_executor/models/registry.py").read_text(encoding="utf-8")
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id in SECTIONS:
                    found[SECTIONS[target.id]] = sorted(ast.literal_eval(node.value))
    return found


def llama_architectures(source: Path) -> list[str]:
    table = source.read_text(encoding="utf-8").partition("LLM_ARCH_NAMES = {")[2].partition("};")[0]
    return sorted(set(re.findall(r'LLM_ARCH_\w+,\s*"([^"(]+)"', table)))


def main() -> None:
    transformers.logging.set_verbosity_error()
    folder = Path(os.environ["VLLM"])
    known = {
        "transformers": {"version": version("transformers"), "types": model_types()},
        "vllm": {"version": os.environ.get("VLLM_VERSION", ""), "classes": vllm_classes(folder)},
        "llama.cpp": {
            "architectures": llama_architectures(Path(os.environ["LLAMA_ARCH"])),
            "commit": os.environ.get("LLAMA_COMMIT", ""),
            "file": "src/llama-arch.cpp, LLM_ARCH_NAMES",
        },
    }
    json.dump(known, sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main()
