"""A data folder small enough to know by heart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# A Llama with untied embeddings: 2 x 1000 x 64, two layers of (64 x 64 + 2 x 64 x 32 + 64 x 64) attention,
# 3 x 64 x 128 feed-forward and 2 x 64 norms, one norm of 64.
TOTAL_PARAMETERS = 2 * 1000 * 64 + 2 * (2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128 + 2 * 64) + 64
CONFIG: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "intermediate_size": 128,
    "vocab_size": 1000,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": False,
    "hidden_act": "silu",
    "torch_dtype": "bfloat16",
}
ORGANIZATION = """\
name_en = "Acme"
name_zh_hans = "顶点"
url = "https://acme.example"
country = "CN"

[[family]]
slug = "road"
name_en = "Road"
summary_en = "Small models."
summary_zh_hans = "小模型。"
"""
LICENCES = """\
[[licence]]
slug = "mit"
name_en = "MIT License"
name_zh_hans = "MIT 许可证"
spdx = "MIT"
url = "https://opensource.org/license/mit"
commercial_use = "yes"
"""
BENCHMARKS = """\
[[benchmark]]
slug = "mmlu"
name_en = "MMLU"
category = "general-knowledge"
metric_en = "accuracy %"
scale_max = 100.0

[[benchmark]]
slug = "arena"
name_en = "Arena"
category = "human-preference"
metric_en = "rating"
"""
ACCELERATORS = """\
[[accelerator]]
slug = "ascend-1"
name_en = "Ascend 1"
name_zh_hans = "昇腾 1"
segment = "datacenter"
memory_gb = 64
bandwidth_gb_per_s = 1600.0
sources = ["https://vendor.example/ascend-1"]
disagreements_en = ["Bandwidth: a list gives 800 GB/s; 1600 GB/s is used here."]
disagreements_zh_hans = ["带宽：一份列表给出 800 GB/s，本站采用 1600 GB/s。"]
"""
CARD = f"""\
name = "Road Runner"
family = "road"
variant = "instruct"
licence = "mit"
release_date = 2025-04-05
knowledge_cutoff = "2024-12"
input_modalities = ["text"]
output_modalities = ["text"]
total_parameters = {TOTAL_PARAMETERS:_}
total_label = "0.2M"
active_parameters = {TOTAL_PARAMETERS:_}
active_basis = "all"
context_tokens = 4096
attention = ["gqa"]
hf_repo = "acme/Road-Runner"
summary_en = "Runs."
summary_zh_hans = "会跑。"

[[source]]
facts = ["config", "licence"]
ref = "acme/Road-Runner"
url = "https://huggingface.co/acme/Road-Runner"
kind = "official-repo"
checked = true
"""
SCORES = """\
[[score]]
benchmark = "mmlu"
value = 61.5
date = "2025-05"
source = "https://acme.example/report"
source_kind = "vendor"

[[score]]
benchmark = "arena"
value = 1210.4
date = "2025-06-01"
source = "https://arena.example"
source_kind = "leaderboard"
"""
ALIASES = '[aliases]\n"roadrunner" = "road-runner"\n'
UNMATCHED = """\
[[score]]
model = "roadrunner"
benchmark = "mmlu"
value = 60.0
date = "2025-07"
source = "https://other.example"
source_kind = "third-party"

[[score]]
model = "coyote-7b"
benchmark = "mmlu"
value = 12.0
source = "https://other.example"
source_kind = "third-party"
"""
MODEL = "models/acme/road-runner"
FILES = {
    "organizations/acme.toml": ORGANIZATION,
    "licences.toml": LICENCES,
    "benchmarks.toml": BENCHMARKS,
    "accelerators/huawei.toml": ACCELERATORS,
    f"{MODEL}/card.toml": CARD,
    f"{MODEL}/config.json": json.dumps(CONFIG),
    f"{MODEL}/scores.toml": SCORES,
    "score_aliases.toml": ALIASES,
    "unmatched_scores.toml": UNMATCHED,
}


class DataFolder:
    """The files, and edits of them by replacing text."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.path / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def config(self, **changes: Any) -> None:
        self.write(f"{MODEL}/config.json", json.dumps(CONFIG | changes))
