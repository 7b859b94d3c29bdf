"""Settings of engines: every one has a name, a reader can turn it everywhere, and each engine answers or refuses it."""

from __future__ import annotations

import pytest

from calculator.hardware import engine_named
from calculator.knobs import KNOBS
from calculator.memory import ENGINES
from calculator.memory.workload import UNSET_KNOBS
from calculator.workload_form import WorkloadForm
from tests.calculator.memory.shapes import published

TURNED = {"util": "0.8", "prefix_caching": "0", "ngl": "3", "cpu_moe": "2", "mtp": "1", "fa": "0"}
TURNED |= dict.fromkeys(("swa_full", "imatrix", "ep", "dp_attention", "eager", "mmproj_ram"), "1")
TURNED |= {"ts": "3,1", "ctkd": "q8_0", "ctvd": "q8_0", "file_gb": "20"}
ODD = {"tp": "3", "pp": "999", "dp": "3", "batched_tokens": "1", "max_seqs": "1", "util": "0.01", "mtp": "64"}
ODD |= {"ngl": "0", "cpu_moe": "9999", "file_gb": "0.000000001", "slots": "256", "batch": "1", "ubatch": "1"}
ODD |= {"ts": "1e-46,1e-46", "ctkd": "q9", "ctvd": "f32", "fa": "1", "prefix_caching": "1"}
ODD |= dict.fromkeys(("swa_full", "imatrix", "ep", "dp_attention", "eager", "mmproj_ram"), "0")
MODEL = "qwen3-30b-a3b"
OF_A_LOG = {"kv_unified", "output_rows"}
"""Facts of a run that nobody chooses by themselves: builds and `slots` decide them."""


def test_every_knob_of_a_workload_has_a_name() -> None:
    assert {knob.attribute for knob in KNOBS.values()} == set(UNSET_KNOBS) - OF_A_LOG
    assert all(knob.engines() for knob in KNOBS.values())
    assert set(ODD) == set(KNOBS)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", KNOBS)
def test_an_engine_takes_a_setting_or_names_those_that_have_it(engine: str, name: str) -> None:
    form = WorkloadForm(published(MODEL), {"engine": engine, name: TURNED.get(name, "2")})
    if engine in KNOBS[name].engines():
        assert name in [knob.name for knob in form.knobs]
        assert form.is_valid() or list(form.errors) == [name]  # this model has no layers of multi-token prediction
        assert name in form.urlencode()
    else:
        assert list(form.errors) == [name]
        assert "Only" in str(form.errors[name])
        assert name in [knob.name for knob in form.knobs]  # so that the page shows the error


@pytest.mark.parametrize("name", KNOBS)
@pytest.mark.parametrize("value", ["-1", "many", "1e99", "99999999999"])
def test_nonsense_is_an_error_beside_its_field(name: str, value: str) -> None:
    form = WorkloadForm(published(MODEL), {"engine": KNOBS[name].engines()[0], name: value})
    assert list(form.errors) == [name]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_settings_in_use_are_those_that_can_be_turned(engine: str) -> None:
    form = WorkloadForm(published(MODEL), {"engine": engine})
    assert form.is_valid()
    assert set(engine_named(engine).settings(form.workload)) <= set(engine_named(engine).flags)


def test_a_new_engine_drops_what_it_cannot_do() -> None:
    form = WorkloadForm(published(MODEL), {"engine": "llama.cpp", "tp": "2"}, formats_may_default=True)
    assert form.is_valid()
    assert "tp" not in form.urlencode()
