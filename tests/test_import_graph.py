"""The tool that draws the import graph: what is an arrow, what is a circle."""

from __future__ import annotations

import pytest
from grimp import ImportGraph

from tests.import_graph import circles, rooms


def test_a_room_is_what_lies_directly_inside() -> None:
    graph = ImportGraph()
    for module in ("site", "site.a", "site.a.deep", "site.b", "site.b.deep", "site.c", "elsewhere"):
        graph.add_module(module)
    for importer, imported in (
        ("site.a.deep", "site.b.deep"),
        ("site.a", "site.b"),  # the same arrow
        ("site.a", "site.a.deep"),  # within one room
        ("site.b.deep", "site"),  # the package itself is no room
        ("site.c", "elsewhere"),
    ):
        graph.add_import(importer=importer, imported=imported)
    assert rooms(graph, "site") == {"site.a": {"site.b"}, "site.b": set(), "site.c": set()}
    assert rooms(graph, "site.a") == {"site.a.deep": set()}


@pytest.mark.parametrize(
    ("graph", "found"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"a"}, "c": {"a"}}, [["a", "b"]]),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"e"}, "e": {"d", "a"}}, [["a", "b", "c"], ["d", "e"]]),
        ({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}, []),
    ],
)
def test_circles(graph: dict[str, set[str]], found: list[list[str]]) -> None:
    assert circles(graph) == found
