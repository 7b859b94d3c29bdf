"""The lines of Python that load a model with transformers and let it write."""

from __future__ import annotations

from dataclasses import replace

from calculator.hardware.command import (
    AUTO_CLASSES,
    DTYPES,
    NO_DRAFT_REPOSITORY,
    SEQ2SEQ,
    Command,
    WeightSource,
    repository_of,
)
from calculator.memory import Workload

SEEN = 'prompt = processor(images=Image.open("..."), return_tensors="pt").to(model.device)'


def generate(workload: Workload, source: WeightSource, hub: str) -> Command:
    repository, placeholders = repository_of(source)
    library = "transformers" if hub == "huggingface" else "modelscope"
    auto = "AutoModelForImageTextToText" if source.multimodal and workload.vision else source.auto_class
    sees = source.auto_class == AUTO_CLASSES["image"]  # an encoder reads an image, and there is no prompt of words
    names, options = [auto, "AutoProcessor" if sees else "AutoTokenizer"], ['dtype="auto"', 'device_map="auto"']
    weight_format = (workload.weight_format or "").upper()
    if weight_format.startswith("NF4"):
        names.append("BitsAndBytesConfig")
        options.append('quantization_config=BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")')
    elif weight_format.startswith("INT8"):
        names.append("BitsAndBytesConfig")
        options.append("quantization_config=BitsAndBytesConfig(load_in_8bit=True)")
    elif weight_format in DTYPES:
        options[0] = f'dtype="{DTYPES[weight_format]}"'
    beside = " - prompt.input_ids.shape[1]" if auto == SEQ2SEQ else ""  # there it bounds what is written alone
    lines = [
        *(["from PIL import Image"] if sees else []),
        f"from {library} import {', '.join(names)}",
        "",
        f"repository = {repository!r}",
        f"{'processor' if sees else 'tokenizer'} = {names[1]}.from_pretrained(repository)",
        f"model = {auto}.from_pretrained(",
        "    repository,",
        *(f"    {option}," for option in options),
        ")",
        SEEN if sees else 'prompt = tokenizer("...", return_tensors="pt").to(model.device)',
        f"output = model.generate(**prompt, max_length={workload.context_tokens}{beside})",
    ]
    return Command(key="transformers", language="python", text="\n".join(lines), placeholders=placeholders)


def with_draft(command: Command, draft: WeightSource) -> Command:
    """`GenerationMixin.generate` (`assistant_model`)."""
    repository, placeholders = repository_of(draft, NO_DRAFT_REPOSITORY)
    imports, *lines, call = command.text.splitlines()
    if "AutoModelForCausalLM" not in imports:  # the large model reads images, a draft only writes
        imports = imports.replace(" import ", " import AutoModelForCausalLM, ")
    lines.insert(0, imports)
    lines.append(f'draft = AutoModelForCausalLM.from_pretrained({repository!r}, dtype="auto", device_map="auto")')
    lines.append(f"{call.removesuffix(')')}, assistant_model=draft)")
    return replace(command, text="\n".join(lines)).extended("", placeholders)
