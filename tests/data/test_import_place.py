"""Claims about where an import writes, and about what a refused one leaves: nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_maker import a_card, a_row

from tetract.data import MaskSource, finish_import, import_place
from tetract.data.finish_import import ImportOptions
from tetract.data.import_place import ImportPlace
from tetract.data.import_place import import_place as open_place
from tetract.errors import Exit, InputError, MachineError


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def put(place: ImportPlace, name: str, text: str = "mask") -> Path:
    path = place.part / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def half_an_import(folder: Path, error: BaseException) -> None:
    with open_place(folder) as place:
        put(place, "masks/m.png")
        raise error


def test_a_new_folder_appears_whole(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    with open_place(out) as place:
        put(place, "masks/m.png")
        assert not out.exists()
        place.publish({"card": "c", "table": "t"}, last="card")
    assert content(tmp_path) == {"a/b/masks/m.png": b"mask", "a/b/card": b"c", "a/b/table": b"t"}


@pytest.mark.parametrize("error", [InputError("E_X", "wrong"), KeyboardInterrupt()])
def test_a_refusal_or_an_interrupt_leaves_no_file_and_no_folder(
    tmp_path: Path, error: BaseException
) -> None:
    with pytest.raises(type(error)):
        half_an_import(tmp_path / "a" / "b", error)
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_leaves_a_folder_that_was_there_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "old.png").write_text("old")
    with pytest.raises(InputError):
        half_an_import(tmp_path, InputError("E_X", "wrong"))
    assert content(tmp_path) == {"masks/old.png": b"old"}


def test_other_files_of_a_folder_that_is_written_again_stay(tmp_path: Path) -> None:
    (tmp_path / "card").write_text("old")
    (tmp_path / "thesis.txt").write_text("mine")
    with open_place(tmp_path) as place:
        put(place, "masks/m.png")
        place.publish({"card": "new"}, last="card")
    assert content(tmp_path) == {"card": b"new", "thesis.txt": b"mine", "masks/m.png": b"mask"}
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_mask_that_cannot_be_moved_takes_the_others_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "card").write_text("old")
    real = import_place._move  # pyright: ignore[reportPrivateUsage]  the disk's fault is made here

    def fails_once(source: Path, target: Path) -> None:
        if source.name == "b.png":
            raise MachineError("E_CANNOT_WRITE", "no")
        real(source, target)

    monkeypatch.setattr(import_place, "_move", fails_once)
    with open_place(tmp_path) as place:
        put(place, "masks/a.png")
        put(place, "masks/b.png")
        with pytest.raises(MachineError):
            place.publish({"card": "new"}, last="card")
    assert content(tmp_path) == {"card": b"old"}


def test_rows_name_masks_as_they_will_lie(tmp_path: Path) -> None:
    elsewhere = MaskSource(path=tmp_path / "elsewhere.png", value=2)
    with open_place(tmp_path / "set") as place:
        mask = {"lung": MaskSource(path=put(place, "masks/m.png"), value=3), "nodule": elsewhere}
        row = a_row(tmp_path, mask=mask)
        (settled,) = place.settled([row])
    assert settled.mask == {
        "lung": MaskSource(path=tmp_path / "set" / "masks" / "m.png", value=3),
        "nodule": elsewhere,
    }


def test_a_file_in_the_way_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "set").write_text("a file")
    with pytest.raises(MachineError, match="E_CANNOT_WRITE") as caught:
        finish_import.finish_import(
            tmp_path / "set", a_card(), [a_row(tmp_path)], ImportOptions(), origin="x"
        )
    assert caught.value.exit_code == Exit.MACHINE
    assert (tmp_path / "set").read_text() == "a file"
