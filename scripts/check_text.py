"""Gate: what may not stand in the source, and hosts that may not stand anywhere.

In ``src``: no ``print``, ``eval`` or ``exec``, no pickle, no ``weights_only=False``, no unsafe
``yaml.load``, no bare ``except``, no TODO or FIXME. Everywhere in Python: a suppression names its
code and its reason. In the whole repository: no host of a package registry, because where packages
come from is the reader's own setting. Run from the repository's root.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

from python_files import parsed, python_files, repository_files, verdict

# Assembled, so that this file does not name what it looks for.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("anaconda", "org"),
        ("anaconda", "com"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("download.pytorch", "org"),
    )
)
FORBIDDEN_MODULES = frozenset({"pickle", "shelve", "marshal", "cloudpickle", "dill"})
FORBIDDEN_CALLS = frozenset({"print", "eval", "exec"})
UNFINISHED = re.compile(r"\b(TODO|FIXME)\b")
SUPPRESSION = re.compile(
    r"#\s*(?P<tool>(?:ruff:\s*)?noqa|(?:based)?pyright|type:\s*ignore)\b(?P<rest>.*)"
)
# `: ARG001, S101`, `: ignore[reportX, reportY]`, `[arg-type]` or `: reportX=false`
CODES = re.compile(
    r"\s*:?\s*(?:ignore)?\s*(?:\[[\w\s,-]+\]|[A-Z]+\d+(?:,?\s*[A-Z]+\d+)*|report\w+\s*=\s*\w+)"
)


def forbidden_code(path: Path, tree: ast.Module) -> Iterator[str]:
    """Calls, imports and handlers that the source must not hold."""
    for node in ast.walk(tree):
        what = _offence_of(node)
        if what:
            yield f"{path}:{getattr(node, 'lineno', 1)}: {what}"


def _offence_of(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        return _offence_of_call(node)
    if isinstance(node, ast.ExceptHandler) and node.type is None:
        return "bare `except`: name what you expect"
    if isinstance(node, ast.Import | ast.ImportFrom):
        named = {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
        module = getattr(node, "module", None)
        roots = {name.split(".")[0] for name in {*named, *([module] if module else [])}}
        bad = sorted(roots & FORBIDDEN_MODULES)
        return f"`{bad[0]}` runs code when it reads" if bad else ""
    return ""


def _offence_of_call(call: ast.Call) -> str:
    name = ast.unparse(call.func)
    if name in FORBIDDEN_CALLS:
        return f"`{name}(`: not in the source"
    if name == "yaml.load" and "Safe" not in ast.unparse(call):
        return "`yaml.load(` without a safe loader"
    for keyword in call.keywords:
        refused = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        if keyword.arg == "weights_only" and refused:
            return "`weights_only=False` reads a file as code"
    return ""


def unfinished(path: Path, source: str) -> Iterator[str]:
    """Lines that say they are not finished."""
    for number, line in enumerate(source.splitlines(), start=1):
        found = UNFINISHED.search(line)
        if found:
            yield f"{path}:{number}: {found.group()}: finish it or open an issue"


def suppressions(path: Path, source: str) -> Iterator[tuple[str, str]]:
    """Each suppression as (place, complaint); an empty complaint is a proper suppression."""
    lines = source.splitlines()
    proper = -1
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        found = SUPPRESSION.search(token.string) if token.type == tokenize.COMMENT else None
        if found is None:
            continue
        line = token.start[0]
        # Arguments one below the other share the reason of the first.
        is_explained = proper == line - 1 or (line > 1 and lines[line - 2].lstrip().startswith("#"))
        complaint = _complaint(found, is_explained=is_explained)
        proper = proper if complaint else line
        yield f"{path}:{line}", complaint


def _complaint(found: re.Match[str], *, is_explained: bool) -> str:
    tool = found["tool"]
    codes = CODES.match(found["rest"])
    if codes is None:
        return f"`{tool}` without a code: name the rule it silences"
    has_words = re.search(r"[A-Za-z]{3,}", found["rest"][codes.end() :])
    if has_words or is_explained:
        return ""
    return f"`{tool}` without a reason: say why, after the code or in a comment line above"


def registry_hosts(path: Path) -> Iterator[str]:
    """Names of package registries in a file, whatever its kind."""
    content = path.read_bytes()
    for host in REGISTRY_HOSTS:
        if host.encode() in content:
            yield f"{path}: names a package registry ({host}): leave that to the reader's settings"


def main() -> int:
    """Read every file; 1 when one holds what it may not."""
    offences: list[str] = []
    lines = silenced = 0
    for path in python_files():
        source = path.read_text(encoding="utf-8")
        if path.parts[0] == "src":
            lines += source.count("\n")
            offences += forbidden_code(path, parsed(path))
            offences += unfinished(path, source)
        for place, complaint in suppressions(path, source):
            silenced += path.parts[0] == "src"
            offences += [f"{place}: {complaint}"] if complaint else []
    for path in repository_files():
        offences += registry_hosts(path)
    rate = 1000 * silenced / max(lines, 1)
    return verdict(
        "text",
        offences,
        f"{silenced} suppressions in {lines} lines of src ({rate:.1f} per 1000, aim 1)",
    )


if __name__ == "__main__":
    sys.exit(main())
