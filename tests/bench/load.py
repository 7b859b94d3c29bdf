"""Asks a server the same or other questions over some open connections, and tells how long the answers took."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from time import perf_counter
from typing import NamedTuple
from urllib.parse import urlsplit

Paths = Callable[[int], str]
READ_BYTES = 2**18


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Load(NamedTuple):
    """Answers a second, and the middle and the 99th of a hundred waiting times in milliseconds."""

    per_s: float
    p50_ms: float
    p99_ms: float


class Connection:
    """One that stays open. It reads answers that say their length, as ours do."""

    def __init__(self, host: str, port: int) -> None:
        self.host = f"{host}:{port}"
        self.socket = socket.create_connection((host, port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, path: str, headers: Mapping[str, str]) -> Answer:
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.host}", *(f"{name}: {text}" for name, text in headers.items())]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._read()
        head, _, body = received.partition(b"\r\n\r\n")
        status, *told = head.decode("latin-1").split("\r\n")
        found = {name.casefold(): text for name, _, text in (line.partition(": ") for line in told)}
        pieces, missing = [body], int(found.get("content-length", 0)) - len(body)
        while missing > 0:
            pieces.append(self._read())
            missing -= len(pieces[-1])
        return Answer(int(status.split()[1]), found, b"".join(pieces))

    def _read(self) -> bytes:
        piece = self.socket.recv(READ_BYTES)
        if not piece:
            raise ConnectionError("the server closed the connection")
        return piece


def load(address: str, paths: Paths, headers: Mapping[str, str], connections: int, seconds: float) -> Load:
    """Ask `paths(0)`, `paths(1)` ... over so many connections for so long. Each must be answered with 200."""
    where = urlsplit(address)
    numbers, end = count(), perf_counter() + seconds

    def one() -> list[float]:
        connection = Connection(where.hostname or "", where.port or 80)
        taken = []
        while (start := perf_counter()) < end:
            answer = connection.ask(paths(next(numbers)), headers)
            taken.append(perf_counter() - start)
            if answer.status != 200:
                raise RuntimeError(f"{answer.status} for {paths(0)}")
        return taken

    start = perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        taken = sorted(each for part in pool.map(lambda _: one(), range(connections)) for each in part)
    return Load(
        len(taken) / (perf_counter() - start), 1000 * taken[len(taken) // 2], 1000 * taken[int(len(taken) * 0.99)]
    )
