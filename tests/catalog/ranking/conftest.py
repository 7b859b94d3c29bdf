from __future__ import annotations

import pytest

from tests.catalog.ranking.worlds import World, make_world


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def noisy() -> World:
    return make_world(noise=5.0)
