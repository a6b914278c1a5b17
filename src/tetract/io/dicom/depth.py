"""How deep the sequences of a DICOM file are nested, found without going down into them.

pydicom reads a sequence inside a sequence by calling itself. Here element follows element in one
loop (PS3.5 sections 7.1 and 7.5), and what cannot be followed is left to pydicom to refuse.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from io import BufferedReader, BytesIO
from pathlib import Path

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from tetract.errors import ReadError

# CT objects have five levels; a hundred are a trap, and three hundred exhaust Python's stack.
MAX_DEPTH = 100
_PREAMBLE = 132
_META_GROUP, _SYNTAX_TAG = 0x0002, 0x00020010
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())


_Bytes = BufferedReader | BytesIO


@dataclass(frozen=True, slots=True)
class _Coding:
    implicit: bool
    order: str = "<"


@dataclass(frozen=True, slots=True)
class _Element:
    tag: int
    vr: bytes
    length: int

    @property
    def is_sequence(self) -> bool:
        if self.tag in (_ITEM, _ITEM_END, _SEQUENCE_END):
            return False
        return self.vr == b"SQ" or (self.length == _UNDEFINED and self.vr in (b"UN", b""))


def check_depth(path: Path) -> None:
    """Refuse a file whose sequences are nested more than 100 deep.

    Raises:
        ReadError: ``E_TOO_DEEP``.
    """
    with path.open("rb") as file:
        start = _PREAMBLE if file.read(_PREAMBLE)[128:] == b"DICM" else 0
        file.seek(start)
        syntax, at = _syntax(file, start)
        file.seek(at)
        if syntax == DeflatedExplicitVRLittleEndian:  # its size was checked before
            inflated = BytesIO(zlib.decompressobj(wbits=-zlib.MAX_WBITS).decompress(file.read()))
            _walk(inflated, _Coding(implicit=False), path.name)
        else:
            _walk(file, _coding(file, syntax, at), path.name)


def _syntax(file: _Bytes, at: int) -> tuple[str, int]:
    """The transfer syntax, or "", and where the data set begins."""
    syntax = ""
    while (found := _next(file, _Coding(implicit=False), at)) is not None:
        element, after = found
        if element.tag >> 16 != _META_GROUP or element.length == _UNDEFINED:
            break
        if element.tag == _SYNTAX_TAG:
            syntax = file.read(min(element.length, 64)).decode("ascii", "replace").strip("\0 ")
        at = after + element.length
        file.seek(at)
    return syntax, at


def _coding(file: _Bytes, syntax: str, at: int) -> _Coding:
    if syntax:
        order = ">" if syntax == ExplicitVRBigEndian else "<"
        return _Coding(implicit=syntax == ImplicitVRLittleEndian, order=order)
    head = file.read(6)
    file.seek(at)
    return _Coding(implicit=not head[4:].isupper())


def _walk(file: _Bytes, coding: _Coding, where: str) -> None:
    at = file.tell()
    # Each open sequence: its end, or None for one that a delimiter ends, and the coding around it.
    open_ones: list[tuple[int | None, _Coding]] = []
    while (found := _next(file, coding, at)) is not None:
        element, at = found
        if element.tag == _SEQUENCE_END and open_ones:
            coding = open_ones.pop()[1]
        elif element.is_sequence:
            if len(open_ones) == MAX_DEPTH:
                raise _too_deep(where)
            undefined = element.length == _UNDEFINED
            open_ones.append((None if undefined else at + element.length, coding))
            # What nobody could name is written as if it had no VR (PS3.5 section 6.2.2).
            coding = replace(coding, implicit=coding.implicit or element.vr == b"UN")
        elif element.length == _UNDEFINED and element.tag != _ITEM:
            at = _after_fragments(file, coding, at)
        elif element.tag != _ITEM:  # an item's elements follow as any others do
            at += element.length
            file.seek(at)
        while open_ones and (end := open_ones[-1][0]) is not None and at >= end:
            coding = open_ones.pop()[1]


def _next(file: _Bytes, coding: _Coding, at: int) -> tuple[_Element, int] | None:
    """The element that begins here and where its value does; None where there is none."""
    head = file.read(8)
    if len(head) < 8:
        return None
    group, number = struct.unpack(coding.order + "HH", head[:4])
    tag = group << 16 | number
    if tag in (_ITEM, _ITEM_END, _SEQUENCE_END) or coding.implicit:
        length = int(struct.unpack(coding.order + "I", head[4:])[0])
        vr = dictionary_VR(tag).encode() if dictionary_has_tag(tag) else b""
        return _Element(tag, vr, length), at + 8
    vr = head[4:6]
    if vr not in _LONG:
        return _Element(tag, vr, struct.unpack(coding.order + "H", head[6:])[0]), at + 8
    rest = file.read(4)
    if len(rest) < 4:
        return None
    return _Element(tag, vr, struct.unpack(coding.order + "I", rest)[0]), at + 12


def _after_fragments(file: _Bytes, coding: _Coding, at: int) -> int:
    """Where encapsulated pixels end."""
    while (found := _next(file, coding, at)) is not None:
        element, at = found
        if element.tag != _ITEM or element.length == _UNDEFINED:
            break
        at += element.length
        file.seek(at)
    return at


def _too_deep(where: str) -> ReadError:
    return ReadError(
        "E_TOO_DEEP",
        "the file is nested too deeply",
        where=where,
        expected=f"at most {MAX_DEPTH} sequences within one another",
        found="more",
        fix="Re-export the file",
    )
