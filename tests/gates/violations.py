"""One small violation for each rule that `make check` holds.

Each entry: a name, the target that must refuse it, the file to plant, its text, and words of the
complaint. What may not stand in this repository is assembled here.
"""

from __future__ import annotations

from dataclasses import dataclass

_HEAD = '"""Planted."""\n\nfrom __future__ import annotations\n'
_LONG = '"""Planted."""\n' + "\n" * 399 + "LAST = 1\n"
_MANY = f'{_HEAD}\n\ndef many() -> None:\n    """Do much."""\n' + "    _ = 0\n" * 41
_DEEP = f"""{_HEAD}

def deep(rows: list[int]) -> None:
    for row in rows:
        if row:
            while row:
                with open("x"):
                    pass
"""
_BRANCHES = f"""{_HEAD}

def tangled(n: int) -> int:
    \"\"\"Decide.\"\"\"
""" + "".join(f"    if n == {i}:\n        n += 1\n" for i in range(11))
_CODE = '"""Planted."""\n\nCODE = "E_PLANTED"\n'
_COMPLEX_END = "    return n\n"
_EIGHT = f"""{_HEAD}

def add(a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int) -> int:
    \"\"\"Add.\"\"\"
    return a + b + c + d + e + f + g + h
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A file that one gate must refuse.

    Attributes:
        complaint: What one line of the gate's output must hold, all of them.
    """

    name: str
    target: str
    path: str
    text: str
    complaint: tuple[str, ...]


def _source(target: str, name: str, text: str, complaint: str) -> Violation:
    path = f"src/tetract/types/{name.replace(' ', '_')}.py"
    return Violation(name=name, target=target, path=path, text=text, complaint=(path, complaint))


def _lint(name: str, body: str, complaint: str) -> Violation:
    return _source("check-lint", name, f"{_HEAD}{body}", complaint)


def _size(name: str, text: str, complaint: str) -> Violation:
    return _source("check-sizes", name, text, complaint)


def _text(name: str, body: str, complaint: str) -> Violation:
    return _source("check-text", name, f"{_HEAD}{body}", complaint)


def _page(target: str, name: str, text: str, complaint: str) -> Violation:
    path = f"docs/{name.replace(' ', '_')}.md"
    return Violation(name=name, target=target, path=path, text=text, complaint=(path, complaint))


def _import(name: str, room: str, module: str, complaint: str) -> Violation:
    return Violation(
        name=name,
        target="check-imports",
        path=f"src/tetract/{room}/imports_{module.replace('.', '_')}.py",
        text=f"{_HEAD}\nimport {module}\n",
        complaint=(complaint,),
    )


def _door(room: str, module: str) -> Violation:
    planted = f"tetract.{room}.imports_{module}"
    return _import(f"{module} in {room}", room, module, f"{planted} -> {module}")


VIOLATIONS = (
    _source("check-format", "not formatted", "x = {  'a':1 }\n", "File would be reformatted"),
    _lint("an unused import", "\nimport math\n", "F401"),
    _lint("a function too complex", _BRANCHES.removeprefix(_HEAD) + _COMPLEX_END, "C901"),
    _lint("a function with 41 statements", _MANY.removeprefix(_HEAD), "PLR0915"),
    _lint(
        "a function with 8 arguments",
        _EIGHT.removeprefix(_HEAD),
        "PLR0913",
    ),
    _lint("a public function without a docstring", "\n\ndef f() -> int:\n    return 1\n", "D103"),
    _lint(
        "an argument without a type", '\n\ndef f(a) -> None:\n    """Do."""\n    del a\n', "ANN001"
    ),
    _lint("a relative import", "\nfrom . import task\n\n__all__ = ['task']\n", "TID252"),
    _lint("code in a comment", "\n# x = 1\n", "ERA001"),
    _lint("os.path", "\nimport os\n\nX = os.path.join('a', 'b')\n", "PTH118"),
    _import(
        "report imports train",
        "report",
        "tetract.train",
        "tetract.report is not allowed to import tetract.train",
    ),
    _import(
        "io imports data", "io", "tetract.data", "tetract.io is not allowed to import tetract.data"
    ),
    _import(
        "detection imports segmentation",
        "tasks/detection",
        "tetract.tasks.segmentation",
        "tetract.tasks.detection is not allowed to import tetract.tasks.segmentation",
    ),
    Violation(
        name="a room that no layer names",
        target="check-imports",
        path="src/tetract/attic/__init__.py",
        text='"""Planted."""\n',
        complaint=("attic",),
    ),
    _door("model", "lightning"),
    _door("recipe", "tensorboard"),
    _door("data", "pydicom"),
    _door("data", "nibabel"),
    _door("report", "PIL"),
    _door("infer", "matplotlib"),
    _door("train", "timm"),
    _door("joint", "sklearn"),
    _door("report", "torch"),
    _door("io", "torch"),
    _door("model", "pickle"),
    _size("a file of 401 lines", _LONG, "file has 401 lines (limit 400)"),
    _size("41 statements", _MANY, "many has 41 statements (limit 40)"),
    _size("nested 4 deep", _DEEP, "deep is nested 4 deep (limit 3)"),
    _text("a call of print", "\nprint('x')\n", "`print(`"),
    _text("a call of eval", "\nX = eval('1')\n", "`eval(`"),
    _text("an import of pickle", "\nimport pickle\n", "`pickle` runs code"),
    _text("an unsafe yaml.load", "\nimport yaml\n\nX = yaml.load('')\n", "`yaml.load(`"),
    _text(
        "weights read as code",
        "\nimport torch\n\nX = torch.load('x', weights_only=False)\n",
        "weights_only",
    ),
    _text("a bare except", "\ntry:\n    X = 1\nexcept:\n    X = 2\n", "bare `except`"),
    _text("something unfinished", "\n# TO" + "DO later\n", "finish it"),
    _text("a silenced rule without its code", "\nX = 1  # no" + "qa\n", "without a code"),
    _text("a silenced rule without a reason", "\nX = 1  # no" + "qa: E501\n", "without a reason"),
    _text(
        "a silenced type without a reason",
        "\nX: int = ''  # pyright: ig" + "nore[reportX]\n",
        "without a reason",
    ),
    _page("check-text", "a package registry", "https://" + "pypi" + ".org\n", "registry"),
    _source("check-errors", "an unexplained code", _CODE, "E_PLANTED is not explained"),
    _page("docs", "a dead link", "[there](nowhere.md)\n", "nowhere.md, which does not exist"),
    _page("docs", "a lost heading", "# Here\n[there](#there)\n", "no such heading"),
    _page("docs", "no Python", "```python\nif x\n```\n", "Python does not parse"),
)
