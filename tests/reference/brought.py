"""Prints, for files that people bring, what is right and what is answered: `python tests/reference/brought.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FILES = Path(__file__).with_name("files")
sys.path.insert(0, str(FILES.parents[2]))

from calculator.architecture import ConfigError, parse_config_text, read_config  # noqa: E402
from calculator.memory import Workload, estimate  # noqa: E402


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FILES / "right.jsonl").read_text(encoding="utf-8").splitlines()]


def answer(name: str) -> dict[str, Any]:
    """What is said of a file: sizes and assumptions, or the reason of a refusal."""
    try:
        shape = read_config(parse_config_text((FILES / name).read_bytes()))
    except ConfigError as error:
        return {"refused": error.reason}
    size = estimate(shape, Workload(engine="vllm", context_tokens=4096)).file_bytes
    return {"file_bytes": size, "parameters": shape.total_parameters, "assumes": shape.assumptions}


def is_right(row: dict[str, Any], said: dict[str, Any]) -> bool:
    if ("refused" in row) != ("refused" in said):
        return False
    if "refused" in row:
        return bool(row["refused"] == said["refused"])
    numbers = ("file_bytes", "parameters")
    close = all(abs(said[key] - row[key]) <= row.get("within", 0) for key in numbers if key in row)
    assumed = {name.partition(":")[0] for name in said["assumes"]}
    return close and row.get("assumes") in (*assumed, None)


def main() -> None:
    right = 0
    table = rows()
    for row in table:
        said = answer(row["file"])
        good = is_right(row, said)
        right += good
        wanted = {key: row[key] for key in ("file_bytes", "parameters", "assumes", "refused") if key in row}
        found = {key: said.get(key) for key in (*wanted, *(("refused",) if "refused" in said else ()))}
        print(f"{'right' if good else 'WRONG'}  {row['file']:42} {wanted}  {'' if good else found}")
    print(f"{right} of {len(table)} right")


if __name__ == "__main__":
    main()
