"""Which entry a log is of: over the whole catalogue, by names as files and engines write them, and by the shape."""

from __future__ import annotations

import pytest

from catalog.bridge.catalogue import DatabaseCatalogue
from catalog.models import LanguageModel

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole")]


@pytest.mark.parametrize(
    ("names", "shown", "slug", "by"),
    [
        (["Qwen/Qwen3-8B", "Qwen3-8B"], {}, "qwen3-8b", "repository"),
        (["Qwen3-8B-FP8"], {}, "qwen3-8b", "name"),
        (["unsloth_Qwen3-30B-A3B"], {}, "qwen3-30b-a3b", "name"),
        (["Meta Llama 3.1 8B Instruct"], {"num_layers": 32, "hidden_size": 4096}, "llama-3-1-8b-instruct", "name"),
        (["Meta-Llama-3.1-8B"], {"num_layers": 32}, "llama-3-1-8b", "name"),
        (["Qwen3-8B-Base-Q4_K_M"], {}, "qwen3-8b-base", "name"),
        (["Qwen2.5-7B"], {}, "qwen2-5-7b", "name"),
        (["Qwen2.5-32B-Instruct"], {"num_layers": 64}, "qwen2-5-32b-instruct", "name"),
        (["gpt-oss-120b"], {}, "gpt-oss-120b", "name"),
        (["gemma-3-27b-it"], {"num_layers": 62, "hidden_size": 5376}, "gemma-3-27b-it", "name"),
        (["my-finetune"], {"num_layers": 64, "hidden_size": 5120, "num_heads": 40, "num_kv_heads": 8,
                           "vocab_size": 152064, "total_parameters": 32_760_000_000}, "qwen2-5-32b-instruct", "shape"),
    ],
)  # fmt: skip
def test_recognised(names: list[str], shown: dict[str, int], slug: str, by: str) -> None:
    found = DatabaseCatalogue().recognise(names, shown)
    assert found
    assert by in {each.by for each in found}
    assert slug in [each.slug for each in found]
    if by != "shape":  # several may have one shape
        assert found[0].slug == slug


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], {}),
        (["model", "x", "yi"], {}),
        (["Qwen3-8B"], {"num_layers": 48}),  # the shape contradicts the name
        ([], {"num_layers": 32}),  # too little to tell
        (["\0"], {}),
    ],
)
def test_not_recognised(names: list[str], shown: dict[str, int]) -> None:
    assert DatabaseCatalogue().recognise(names, shown) == []


def test_every_entry_is_recognised_by_its_repository_and_its_shape() -> None:
    catalogue = DatabaseCatalogue()
    for row in LanguageModel.objects.published().filter(config__isnull=False).exclude(hf_repo="")[::7]:
        shown = {"num_layers": row.num_layers, "hidden_size": row.hidden_size}
        if row.total_parameters:
            shown["total_parameters"] = row.total_parameters
        known = {name: value for name, value in shown.items() if value}
        assert row.slug in [each.slug for each in catalogue.recognise([row.hf_repo], known)], row.slug
