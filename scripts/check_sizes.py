"""Gate: files of at most 400 lines, functions of at most 40 statements, nested at most 3 deep.

Run from the repository's root. Prints each offender with its size and the limit. The limits are
never raised to admit code: split the code (CONTRIBUTING.md).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from python_files import parsed, python_files, verdict

MAX_FILE_LINES = 400
MAX_STATEMENTS = 40
MAX_DEPTH = 3

Function = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.Match,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One file: its offences, its length in lines, and each function's number of statements."""

    offences: tuple[str, ...]
    lines: int
    statements: tuple[int, ...]


def measure(path: Path) -> Measured:
    """Measure one file."""
    source = path.read_text(encoding="utf-8")
    lines = source.count("\n") + (not source.endswith("\n") and bool(source))
    offences: list[str] = []
    if lines > MAX_FILE_LINES:
        offences.append(f"{path}:1: file has {lines} lines (limit {MAX_FILE_LINES})")
    functions = [n for n in ast.walk(parsed(path)) if isinstance(n, Function)]
    sizes = [count_statements(function) for function in functions]
    for function, size in zip(functions, sizes, strict=True):
        place = f"{path}:{function.lineno}: {function.name}"
        if size > MAX_STATEMENTS:
            offences.append(f"{place} has {size} statements (limit {MAX_STATEMENTS})")
        depth = depth_of(function.body)
        if depth > MAX_DEPTH:
            offences.append(f"{place} is nested {depth} deep (limit {MAX_DEPTH})")
    return Measured(offences=tuple(offences), lines=lines, statements=tuple(sizes))


def count_statements(function: Function) -> int:
    """Statements below ``def``, less the docstring; a nested function counts in both."""
    everything = sum(isinstance(node, ast.stmt) for node in ast.walk(function)) - 1
    return everything - (ast.get_docstring(function, clean=False) is not None)


def depth_of(body: list[ast.stmt]) -> int:
    """How deep branches, loops and contexts nest; a nested function starts again at 0."""
    return max((_depth_of_one(statement) for statement in body), default=0)


def _depth_of_one(statement: ast.stmt) -> int:
    if not isinstance(statement, BLOCKS):
        return 0
    deepest = max((depth_of(block) for block in _blocks_of(statement)), default=0)
    if isinstance(statement, ast.If) and _is_elif(statement):
        # `elif` reads as one more branch at the same depth, not as an `if` inside an `else`.
        return max(deepest + 1 if statement.body else 0, _depth_of_one(statement.orelse[0]))
    return deepest + 1


def _is_elif(statement: ast.If) -> bool:
    after = statement.orelse
    return (
        len(after) == 1
        and isinstance(after[0], ast.If)
        and after[0].col_offset == statement.col_offset
    )


def _blocks_of(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    yield getattr(statement, "body", [])
    if not (isinstance(statement, ast.If) and _is_elif(statement)):
        yield getattr(statement, "orelse", [])
    yield getattr(statement, "finalbody", [])
    for inner in (*getattr(statement, "handlers", []), *getattr(statement, "cases", [])):
        yield inner.body


def main() -> int:
    """Measure every file; 1 when one is too large."""
    files = [measure(path) for path in python_files()]
    lengths = [file.lines for file in files]
    statements = [size for file in files for size in file.statements]
    summary = (
        f"{len(files)} files, median {median(lengths or [0]):g} lines (max {max(lengths or [0])}); "
        f"{len(statements)} functions, median {median(statements or [0]):g} statements "
        f"(max {max(statements or [0])})"
    )
    return verdict("sizes", (line for file in files for line in file.offences), summary)


if __name__ == "__main__":
    sys.exit(main())
