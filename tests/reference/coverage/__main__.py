"""What is read, what is refused and why, of all that transformers, vLLM and llama.cpp know.

`python -m tests.reference.coverage` prints it. `known.json` holds their lists, so that this runs without them, and
`downloads.json` how often files of a model type are downloaded: those of the hub as a published list of models counts
them, which names no more than it has found itself. What it calls unknown is weighed as what is read.

That list says of itself that it holds models that write text, and is not quite right: some of its repositories hold
draft heads, encoders, models of proteins, speech or actions, none of which writes a text alone (`NO_TEXT`). They are
counted in the first share, as not read, and left out of the second, "of those that write text"; both are printed, so
that nobody has to trust the second. Read means that files of the type are: a file of such a type can still be refused
for a key or a part that nobody knows, and that is not counted here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from calculator.architecture.gguf_architectures import KNOWN as GGUF
from calculator.architecture.other_files import other_model
from tests.reference.coverage.known import DOWNLOADS, KNOWN, OWN_CLASSES, refusal

MOST_UNKNOWN = 60

WORDS: Mapping[str | None, str] = {
    None: "read",
    "draft_head": "draft heads, named so",
    "is_encoder_decoder": "encoder-decoders, named so",
    "is_image_model": "models of images and video, named so",
    "is_image_text_encoder": "encoders of images and texts, named so",
    "is_part": "parts of models, named so",
    "is_policy": "models of actions, named so",
    "is_protein_model": "models of proteins, named so",
    "is_speech_model": "models of speech and sound, named so",
    "is_text_diffusion": "models that write by diffusion, named so",
    "is_text_encoder": "encoders of text, named so",
    "is_time_series_model": "models of time series, named so",
    "unknown_model_type": "unknown",
}
NO_TEXT = ("draft_head", "is_image_text_encoder", "is_policy", "is_protein_model", "is_speech_model", "is_text_encoder")
"""Reasons of what writes no text alone. Encoder-decoders and models of diffusion do, so none of those is left out."""
Table = dict[str, str | None]


def of_transformers() -> Table:
    return {model_type: refusal(model_type, row) for model_type, row in KNOWN["transformers"]["types"].items()}


def of_vllm(section: str) -> Table:
    """A class is read if a model type is whose files name it."""
    rows: Mapping[str, Any] = KNOWN["transformers"]["types"]
    by_class: dict[str, list[str]] = {}
    for model_type, row in rows.items():
        for name in row.get("classes", ()):
            by_class.setdefault(name, []).append(model_type)
    found: Table = {}
    for name in KNOWN["vllm"]["classes"][section]:
        types = [*by_class.get(name, ()), *([OWN_CLASSES[name]] if name in OWN_CLASSES else [])]
        reasons = [refusal(model_type, rows.get(model_type, {})) for model_type in types]
        found[name] = None if None in reasons else next(iter(reasons), "unknown_model_type")
    return found


def of_gguf() -> Table:
    names: list[str] = KNOWN["llama.cpp"]["architectures"]
    return {name: None if name in GGUF else other_model(name) or "unknown_model_type" for name in names}


def tables() -> Iterator[tuple[str, Table]]:
    versions = {library: KNOWN[library]["version"] for library in ("transformers", "vllm")}
    yield f"transformers {versions['transformers']}, model types", of_transformers()
    yield f"vLLM {versions['vllm']}, classes of text", of_vllm("text")
    yield f"vLLM {versions['vllm']}, multimodal classes", of_vllm("multimodal")
    yield f"llama.cpp (commit {KNOWN['llama.cpp']['commit'][:8]}), architectures", of_gguf()


def by_downloads() -> Iterator[str]:
    """How much of what is downloaded is read, and what is not, most downloaded first."""
    kept: Mapping[str, list[int]] = DOWNLOADS["types"]
    rows: Mapping[str, Any] = KNOWN["transformers"]["types"]
    reasons = {name: refusal(name, rows.get(name, {})) for name in kept}
    for title, column in (("repositories", 0), ("downloads", 1)):
        of_all = sum(numbers[column] for numbers in kept.values())
        read = sum(kept[name][column] for name, reason in reasons.items() if reason is None)
        unknown = sum(kept[name][column] for name, reason in reasons.items() if reason == "unknown_model_type")
        silent = sum(kept[name][column] for name, reason in reasons.items() if reason in NO_TEXT)
        shares = read / of_all, unknown / of_all, read / (of_all - silent)
        yield f"  {title}: {read:,} of {of_all:,} read ({shares[0]:.2%}), {unknown:,} unknown ({shares[1]:.2%})"
        yield f"    {silent:,} write no text; of those that write text {shares[2]:.2%} read"
    yield "  named for what they are, repositories"
    for reason, word in WORDS.items():
        count = sum(kept[name][0] for name, own in reasons.items() if own == reason)
        if reason not in (None, "unknown_model_type") and count:
            yield f"    {word.removesuffix(', named so')}: {count}"
    rest = sorted(
        (name for name, reason in reasons.items() if reason == "unknown_model_type"), key=lambda n: -kept[n][1]
    )
    yield "  unknown, most downloaded first"
    text = " ".join(f"{name} {kept[name][1]:,};" for name in rest[:MOST_UNKNOWN])
    yield textwrap.fill(text, 118, initial_indent="    ", subsequent_indent="    ")


def main() -> None:
    for title, table in tables():
        read = sum(reason is None for reason in table.values())
        print(f"\n{title}: {read} of {len(table)} read")
        for reason, word in WORDS.items():
            names = sorted(name for name, own in table.items() if own == reason)
            if names:
                print(f"  {word} ({len(names)})")
                print(textwrap.fill(" ".join(names), 118, initial_indent="    ", subsequent_indent="    "))
    print(f"\nweighted by use: {DOWNLOADS['source']}")
    print("\n".join(by_downloads()))


if __name__ == "__main__":
    main()
