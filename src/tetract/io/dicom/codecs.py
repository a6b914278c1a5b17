"""Which codecs read which transfer syntax (DICOM PS3.5 section 10), and which are here."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, RLELossless

_JPEG = "1.2.840.10008.1.2.4."
EXTENDED_JPEG = _JPEG + "51"
# The first plugin that is installed is used, and only that one: a second codec would rather
# guess at a damaged codestream than refuse it.
PLUGINS = {
    _JPEG + "50": ("pillow", "gdcm", "pylibjpeg"),
    EXTENDED_JPEG: ("pillow", "gdcm", "pylibjpeg"),
    _JPEG + "57": ("gdcm", "pylibjpeg"),
    _JPEG + "70": ("gdcm", "pylibjpeg"),
    _JPEG + "80": ("pyjpegls", "gdcm", "pylibjpeg"),
    _JPEG + "81": ("pyjpegls", "gdcm", "pylibjpeg"),
    _JPEG + "90": ("pylibjpeg", "pillow", "gdcm"),
    _JPEG + "91": ("pylibjpeg", "pillow", "gdcm"),
    _JPEG + "201": ("pylibjpeg",),
    _JPEG + "202": ("pylibjpeg",),
    _JPEG + "203": ("pylibjpeg",),
}
# Pillow knows only 8 bit, and gdcm refuses 12-bit extended JPEG.
_EXTENDED_12_BIT = ("pylibjpeg",)
# JPEG lossless is the one syntax that the default packages leave out.
_BY_EXTRA = (_JPEG + "57", _JPEG + "70")
# GPL-3.0, so that no extra of ours brings it.
_GPL = "pylibjpeg-libjpeg"
_EIGHT_BITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """One way of storing pixels.

    Attributes:
        name: As DICOM names the transfer syntax.
        syntax: Its UID.
        plugin: What decodes it here; None where nothing does.
        brought_by: What brings a plugin: ``tetract``, an extra, or another package.
    """

    name: str
    syntax: str
    plugin: str | None
    brought_by: str


def plugins_for(syntax: str, stored_bits: int) -> tuple[str, ...]:
    """The plugins that may decode a syntax, best first; none for one that is not read."""
    if syntax == EXTENDED_JPEG and stored_bits > _EIGHT_BITS:
        return _EXTENDED_12_BIT if syntax in PLUGINS else ()
    return PLUGINS.get(syntax, ())


def installed_plugin(syntax: str, stored_bits: int) -> str | None:
    """The plugin that is used here, or None."""
    here = get_decoder(UID(syntax)).available_plugins
    return next((name for name in plugins_for(syntax, stored_bits) if name in here), None)


def brought_by(syntax: str, stored_bits: int) -> str:
    """What to install for a syntax."""
    if syntax == EXTENDED_JPEG and stored_bits > _EIGHT_BITS:
        return _GPL
    return "tetract[codecs]" if syntax in _BY_EXTRA else "tetract"


def list_codecs() -> tuple[Codec, ...]:
    """Every compressed transfer syntax that is read at all, with what reads it here."""
    rows = [
        Codec(
            name=UID(RLELossless).name, syntax=RLELossless, plugin="pydicom", brought_by="tetract"
        )
    ]
    for syntax in PLUGINS:
        rows += [_row(syntax, bits) for bits in ((8, 12) if syntax == EXTENDED_JPEG else (8,))]
    return tuple(rows)


def _row(syntax: str, bits: int) -> Codec:
    depth = f", {bits} bit" if syntax == EXTENDED_JPEG else ""
    return Codec(
        name=UID(syntax).name + depth,
        syntax=syntax,
        plugin=installed_plugin(syntax, bits),
        brought_by=brought_by(syntax, bits),
    )
