"""The rooms of a package, who imports whom, and the circles among them: `python -m tests.import_graph [package]`.

A room is a module or package directly inside it. Imports of any module in it count, also those for type checks alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from grimp import ImportGraph, build_graph

Rooms = Mapping[str, set[str]]  # a room -> the rooms of the same package that it imports


def rooms(graph: ImportGraph, package: str) -> Rooms:
    """The rooms of `package`, each with those that it imports."""
    depth = package.count(".") + 2
    found = {}
    for room in graph.find_children(package):
        imported: set[str] = set()
        for module in {room} | graph.find_descendants(room):
            imported |= graph.find_modules_directly_imported_by(module)
        inside = (name for name in imported if name.startswith(f"{package}."))
        found[room] = {".".join(name.split(".")[:depth]) for name in inside} - {room}
    return found


def circles(graph: Rooms) -> list[list[str]]:
    """Rooms that reach one another by imports, in groups."""
    reached = {room: set(_reached(graph, room)) for room in graph}
    groups = {
        tuple(sorted(other for other in reached[room] if room in reached[other]))
        for room in graph
        if room in reached[room]
    }
    return [list(group) for group in sorted(groups)]


def _reached(graph: Rooms, start: str) -> Iterator[str]:
    seen: set[str] = set()
    ahead = list(graph[start])
    while ahead:
        room = ahead.pop()
        if room not in seen:
            seen.add(room)
            ahead += graph[room]
            yield room


def main(package: str = "catalog") -> None:
    graph = rooms(build_graph(package.partition(".")[0], cache_dir=None), package)
    for room, imported in sorted(graph.items()):
        print(f"{room} -> {', '.join(sorted(imported)) or '-'}".replace(f"{package}.", ""))
    found = circles(graph)
    for circle in found:
        print(f"circle: {', '.join(circle)}".replace(f"{package}.", ""))
    print(f"{package}: {len(graph)} rooms, {sum(map(len, graph.values()))} arrows, {len(found)} circles")


if __name__ == "__main__":
    main(*sys.argv[1:])
