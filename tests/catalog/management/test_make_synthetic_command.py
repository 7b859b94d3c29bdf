"""Made-up rows: as many as are asked for, and configs that a sync has to compute one by one."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from catalog.models import LanguageModel, Need, Score
from tests.catalog.field import make_field

pytestmark = pytest.mark.django_db

CONFIG = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 1000,
    "max_position_embeddings": 8192,
    "rms_norm_eps": 1e-5,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}


@pytest.fixture
def patterns() -> None:
    make_field(20)
    for model in LanguageModel.objects.all():
        model.config = CONFIG
        model.save()


def made() -> list[LanguageModel]:
    return list(LanguageModel.objects.filter(slug__startswith="synthetic-").order_by("pk"))


@pytest.mark.usefixtures("patterns")
def test_each_copy_has_a_config_of_its_own_that_can_be_read() -> None:
    call_command("make_synthetic", models=50, scores=400, yes=True, verbosity=0)
    assert LanguageModel.objects.published().count() == 50
    assert Score.objects.count() == 400
    copies = made()
    assert len({json.dumps(copy.config) for copy in copies}) == len(copies) == 30
    held = set(Need.objects.filter(model__in=copies).values_list("model_id", flat=True))
    assert held == {copy.pk for copy in copies}  # as their patterns have, so that lists show them
    for copy in copies:
        copy.save()  # computes what follows from the config
    assert [copy.vocab_size for copy in copies] == [1000 + 64 * number for number in range(1, 31)]


@pytest.mark.usefixtures("patterns")
def test_configs_can_be_those_of_the_patterns() -> None:
    call_command("make_synthetic", "--no-vary", models=30, scores=0, yes=True, verbosity=0)
    assert [copy.config for copy in made()] == [CONFIG] * 10


def test_a_database_is_filled_only_where_it_is_one_for_that() -> None:
    with pytest.raises(CommandError, match="--yes"):
        call_command("make_synthetic", models=30)
