"""What ``tetract predict`` asks of the readers."""

from __future__ import annotations

from pathlib import Path

import pytest

# Imported before anything is put in the reader's place: the first import would keep that for good.
import tetract.cli.predicting  # noqa: F401  see above
from tetract.cli import main
from tetract.errors import Exit, ReadError
from tetract.io import ReadOptions


def _asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *switches: str) -> ReadOptions | int:
    """The options that reach the reader, or the exit code where none do."""
    seen: list[ReadOptions] = []

    def stop(_: Path, *, options: ReadOptions) -> None:
        seen.append(options)
        raise ReadError("E_NOT_FOUND", "stopped")

    monkeypatch.setattr("tetract.io.read_study", stop)

    def load(_: Path, **_options: object) -> None:
        """Only the reader is looked at."""

    monkeypatch.setattr("tetract.infer.load", load)
    words = ["predict", str(tmp_path / "x"), "-m", "model", "-o", str(tmp_path / "out")]
    code = main._guarded([*words, *switches])
    return seen[0] if seen else code


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ((), ReadOptions()),
        (("--gaps=resample",), ReadOptions(resample_gaps=True)),
        (("--gaps=refuse", "--deskew"), ReadOptions(deskew=True)),
        (("--acquisition", "2", "--series", "ab12"), ReadOptions(acquisition=2, series="ab12")),
        (("--nan-to=-1024", "--prefer=qform"), ReadOptions(nan_to_hu=-1024, prefer="qform")),
        (("--as-grey",), ReadOptions(as_grey=True)),
        (("--assume-hu",), ReadOptions(assume_hu=True)),
        (("--force",), ReadOptions(force=True)),
        (("--strict",), ReadOptions(strict=True)),
    ],
)
def test_each_switch_reaches_the_reader(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    switches: tuple[str, ...],
    expected: ReadOptions,
) -> None:
    assert _asked(monkeypatch, tmp_path, *switches) == expected


@pytest.mark.parametrize("switch", ["--gaps=maybe", "--prefer=xform", "--nan-to=air"])
def test_a_value_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, switch: str
) -> None:
    assert _asked(monkeypatch, tmp_path, switch) == Exit.BAD_INPUT
