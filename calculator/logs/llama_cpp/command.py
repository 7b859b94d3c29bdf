"""The command that started llama.cpp, where it stands in the log: what no other line prints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from calculator.logs.reading import Setting

PROGRAM = re.compile(
    r"\b(?:llama-server|llama-cli|llama-bench|llama-perplexity|llama_server|server|main)\b.{0,200} -{1,2}[a-z]"
)
FLAGS: dict[str, tuple[str, Callable[[str], Setting]]] = {
    "-c": ("context_tokens", int),
    "--ctx-size": ("context_tokens", int),
    "-ub": ("micro_batch", int),
    "--ubatch-size": ("micro_batch", int),
    "-ctk": ("kv_format", str),
    "--cache-type-k": ("kv_format", str),
    "-ctv": ("kv_v_format", str),
    "--cache-type-v": ("kv_v_format", str),
    "-ncmoe": ("cpu_expert_layers", int),
    "--n-cpu-moe": ("cpu_expert_layers", int),
}
PAIR = re.compile(r"(?<![\w-])(-{1,2}[a-z][a-z-]{0,20})[ =]\"?([\w.]{1,20})")


def command_of(lines: Iterable[str]) -> str:
    """The last command line of llama.cpp in the text; empty where there is none."""
    return next((line for line in reversed(list(lines)) if PROGRAM.search(line)), "")


def command_settings(lines: Iterable[str]) -> dict[str, Setting]:
    """Settings from the last command line of llama.cpp in the text; what is printed later overrides them."""
    command = command_of(lines)
    settings: dict[str, Setting] = {}
    for flag, value in PAIR.findall(command):
        if flag in FLAGS:
            name, read = FLAGS[flag]
            if read is str or value.isdecimal():
                settings[name] = read(value)
    if settings.get("kv_v_format") == settings.get("kv_format", "f16"):
        settings.pop("kv_v_format", None)
    return {name: value for name, value in settings.items() if value != 0}
