"""Which changes to the code would no test notice? `make mutants ARGS="memory/vllm"`, made and tried by cosmic-ray.

It changes one place at a time (a number by one, a comparison at its edge, `+` to `-`, `and` to `or`) in a copy of the
checkout under `.cache/mutants` and runs the tests that cover the package until one fails. Every result is kept at once,
so a run that was broken off goes on where it stopped; a package whose code has changed begins anew.

Left out is what changes nothing, or too much to say anything: annotations, decorators (caches), `strict=True` of `zip`,
and operators that no one confuses (`*` and `<<`). Words, tables and regular expressions are not changed either.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from calculator.memory import ENGINES

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".cache" / "mutants"
COPY = HOME / "checkout"
COPIED = ("calculator", "catalog", "config", "tests", "docs", "manage.py", "pyproject.toml")
TIMEOUT_S = 120
LATER = "not in the sample"
CHANGED = re.compile(r"[+-](?![+-]{2} )")  # the lines of a difference, without its head

# Pure packages: their tests need neither Django nor plugins, and start in half a second without.
PYTEST = (
    *("-c", os.devnull, "--rootdir", ".", "-o", "pythonpath=.", "--import-mode=importlib"),
    *("--noconftest", "-p", "no:cacheprovider", "-q", "-x", "--no-header", "--tb=no"),
)

KEPT = {
    "ReplaceBinaryOperator": "Add_Sub|Sub_Add|Mul_FloorDiv|FloorDiv_Mul|Div_Mul|Mod_Mul|Pow_Mul",
    "ReplaceComparisonOperator": "Eq_NotEq|NotEq_Eq|Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Is_IsNot|IsNot_Is",
}
EXCLUDED = [f"core/{name}_(?!({kept})$)" for name, kept in KEPT.items()]
EXCLUDED += ["core/RemoveDecorator", "core/ExceptionReplacer"]


class Package(NamedTuple):
    """Folders or files to change, and the tests that cover them, in the order in which they are tried."""

    code: tuple[str, ...]
    tests: tuple[str, ...]


MEMORY = "tests/calculator/memory"
EVERY = (f"{MEMORY}/test_bounds.py", f"{MEMORY}/test_encoders.py", f"{MEMORY}/test_relations.py")
LAST = "tests/calculator/accuracy/test_accuracy.py"
SLOW = f"{MEMORY}/test_odd_configs.py"


def _packages() -> dict[str, Package]:
    """Every engine's package by itself, what engines share, configs and ranks."""
    engines = [engine.__name__.rpartition(".")[2] for engine in ENGINES.values()]
    own = {engine: _found(f"{MEMORY}/test_{engine}*.py") for engine in engines}
    packages = {
        f"memory/{engine}": Package((f"calculator/memory/{engine}",), (*tests, *EVERY, LAST))
        for engine, tests in own.items()
    }
    every = tuple(test for tests in own.values() for test in tests)
    others = (test for test in _found(f"{MEMORY}/test_*.py") if test not in (*every, *EVERY, SLOW))
    packages["memory/shared"] = Package(_found("calculator/memory/*.py"), (*others, *every, *EVERY, LAST))
    packages["architecture"] = Package(("calculator/architecture",), ("tests/calculator/architecture", *every))
    packages["ranking"] = Package(("catalog/ranking",), ("tests/catalog/ranking",))
    return packages


def _found(pattern: str) -> tuple[str, ...]:
    return tuple(sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)))


PACKAGES = _packages()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help=f"all, or some of: {', '.join(PACKAGES)}")
    parser.add_argument("--survivors", action="store_true", help="try those again that survived, after adding tests")
    parser.add_argument("--sample", type=int, metavar="N", help="try N changes at random: a score within minutes")
    parser.add_argument("--report", action="store_true", help="only say what is known so far")
    asked = parser.parse_args()
    names = list(PACKAGES) if asked.packages in ([], ["all"]) else asked.packages
    if unknown := set(names) - set(PACKAGES):
        parser.error(f"no such package: {', '.join(sorted(unknown))}")
    sessions = {name: _session(name) for name in names}  # of the code as it is now: it may change during a run
    if asked.packages and not asked.report:
        os.nice(10)
        HOME.mkdir(parents=True, exist_ok=True)
        with (HOME / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                parser.error("another run is changing the copy; wait for it")
            _copy()
            for name in names:
                _run(name, sessions[name], again=asked.survivors, sample=asked.sample)
    for name in names:
        _report(name, sessions[name], with_survivors=bool(asked.packages))
    return 0


def _copy() -> None:
    """A checkout of its own, as it is now: what is changed is never the reader's."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, COPY / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, COPY / name)


def _session(name: str) -> Path:
    """The results of a package, by its name and what its code says: other code is another session."""
    digest = hashlib.sha256()
    for place in PACKAGES[name].code:
        found = [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py"))
        for path in found:
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return HOME / f"{name.replace('/', '-')}-{digest.hexdigest()[:12]}.sqlite"


def _run(name: str, session: Path, *, again: bool, sample: int | None) -> None:
    config = HOME / f"{name.replace('/', '-')}.toml"
    config.write_text(_config(PACKAGES[name]), encoding="utf-8")
    _cosmic_ray("cosmic-ray", "baseline", str(config))  # where the tests fail by themselves, every change is "noticed"
    if not session.exists():
        fresh = session.with_suffix(".new")  # under its own name only when it is whole
        fresh.unlink(missing_ok=True)
        _cosmic_ray("cosmic-ray", "init", str(config), str(fresh))
        _cosmic_ray("cr-filter-operators", str(fresh), str(config))
        _leave_out(fresh)
        fresh.rename(session)
    _forget_what_waits(session)
    if again:
        _let_wait_all_but(0, session)
        with sqlite3.connect(session) as results:
            results.execute("DELETE FROM work_results WHERE test_outcome = 'SURVIVED'")
    elif sample is not None:
        _let_wait_all_but(sample, session)
    _cosmic_ray("cosmic-ray", "exec", str(config), str(session))
    _forget_what_waits(session)


def _let_wait_all_but(number: int, session: Path) -> None:
    """Identifiers are random, so the first ones in their order are a sample."""
    with sqlite3.connect(session) as results:
        results.execute(
            "INSERT INTO work_results (job_id, worker_outcome, output) SELECT job_id, 'SKIPPED', ? FROM mutation_specs"
            " WHERE job_id NOT IN (SELECT job_id FROM work_results) ORDER BY job_id LIMIT -1 OFFSET ?",
            (LATER, number),
        )


def _forget_what_waits(session: Path) -> None:
    with sqlite3.connect(session) as results:
        results.execute("DELETE FROM work_results WHERE output = ?", (LATER,))


def _leave_out(session: Path) -> None:
    """Sizes of caches, and `zip(strict=True)`, which holds what cannot be otherwise."""
    with sqlite3.connect(session) as results:
        pending = results.execute(
            "SELECT job_id, module_path, start_pos_row, operator_name FROM mutation_specs"
            " WHERE job_id NOT IN (SELECT job_id FROM work_results)"
        ).fetchall()
        for job, path, row, operator in pending:
            line = (COPY / path).read_text(encoding="utf-8").splitlines()[row - 1]
            if line.lstrip().startswith("@") or (operator == "core/ReplaceTrueWithFalse" and "strict=True" in line):
                results.execute("INSERT INTO work_results (job_id, worker_outcome) VALUES (?, 'SKIPPED')", (job,))


def _config(package: Package) -> str:
    command = " ".join((sys.executable, "-m", "pytest", *PYTEST, *package.tests))
    lines = ["[cosmic-ray]", f"module-path = {list(package.code)}", f"timeout = {TIMEOUT_S}.0", "excluded-modules = []"]
    lines += [f"test-command = '{command}'", "[cosmic-ray.distributor]", "name = 'local'"]
    return "\n".join([*lines, "[cosmic-ray.filters.operators-filter]", f"exclude-operators = {EXCLUDED}", ""])


def _cosmic_ray(program: str, *arguments: str) -> None:
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([Path(sys.executable).parent / program, *arguments], cwd=COPY, env=environment, check=True)


def _report(name: str, session: Path, *, with_survivors: bool) -> None:
    if not session.exists():
        print(f"{name}: not tried yet")
        return
    outcomes: Counter[str] = Counter()
    by_file: dict[str, Counter[str]] = {}
    survivors = []
    for path, row, operator, outcome, diff in _results(session):
        outcomes[outcome] += 1
        by_file.setdefault(path, Counter())[outcome] += 1
        if outcome == "SURVIVED":
            survivors.append((path, row, operator.removeprefix("core/"), diff))
    print(f"{name}: {_score(outcomes)}")
    if with_survivors:
        for path, counted in sorted(by_file.items()):
            print(f"    {path}: {_score(counted)}")
        for path, row, operator, diff in sorted(survivors):
            print(f"{path}:{row}: {operator}")
            print("\n".join(f"    {line}" for line in diff.splitlines() if CHANGED.match(line)))


def _score(outcomes: Counter[str]) -> str:
    killed, survived, open_ = outcomes["KILLED"] + outcomes["INCOMPETENT"], outcomes["SURVIVED"], outcomes["PENDING"]
    share = f"{killed / (killed + survived):.1%}" if killed + survived else "-"
    return f"{share} noticed, {survived} of {killed + survived} not" + (f", {open_} still to try" if open_ else "")


def _results(session: Path) -> Iterator[tuple[str, int, str, str, str]]:
    """Path, line, operator, outcome and difference of every change that was not left out."""
    query = """
        SELECT module_path, start_pos_row, operator_name, coalesce(test_outcome, 'PENDING'), coalesce(diff, '')
        FROM mutation_specs LEFT JOIN work_results USING (job_id)
        WHERE worker_outcome IS NULL OR worker_outcome NOT IN ('SKIPPED', 'NO_TEST') OR output = ?
    """
    with sqlite3.connect(session) as results:
        yield from results.execute(query, (LATER,))


if __name__ == "__main__":
    sys.exit(main())
