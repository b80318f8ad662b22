"""Figures as SVG for a page, and as SVG and PNG for a file. The same figure gives the same bytes.

matplotlib keeps its parameters and its fonts for the whole process, so figures are made and written
one at a time; `drawing_settings` holds the lock.
"""

from __future__ import annotations

import io
import logging
import re
import threading
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from cds_service.plots.drawing import INK, legible

_one_at_a_time = threading.RLock()
_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "svg.fonttype": "none",
    "svg.hashsalt": "alk-cds",
    "text.parse_math": False,
    "hatch.linewidth": 0.6,
}
_XLINK = "{http://www.w3.org/1999/xlink}href"
_LINK = re.compile(r"#(.+)")
_ADDRESS = re.compile(r"url\(#(.+)\)")
_PNG_DPI = 144
_LONGEST_DESCRIPTION = 4000

# Without a home folder it says at each start that it keeps its list of fonts elsewhere.
logging.getLogger("matplotlib").setLevel(logging.ERROR)


@contextmanager
def drawing_settings() -> Iterator[None]:
    """Make and write figures inside this: one thread at a time, and no `$` starts a formula."""
    with _one_at_a_time, matplotlib.rc_context(_SETTINGS):
        yield


def page_svg(figure: Figure, title: str, description: str, name: str) -> str:
    """The figure as an SVG element for an HTML page.

    It carries no style element and no style attribute, which the pages' security policy forbids,
    takes the page's colour for text, and refers to nothing outside. `name` keeps its ids apart from
    those of other figures of the page.
    """
    root = _tree(figure, title, description, name)
    for element in root.iter():
        for key, value in element.attrib.items():
            if value == INK:
                element.set(key, "currentColor")
    # The page scales it to its column.
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.set("class", f"plot {name}")
    return ElementTree.tostring(root, encoding="unicode")


def file_svg(figure: Figure, title: str, description: str) -> str:
    """The figure as the text of an SVG file with a white ground."""
    figure.patch.set_alpha(1.0)
    root = _tree(figure, title, description, "plot")
    root.set("xmlns", "http://www.w3.org/2000/svg")
    root.set("font-family", "'DejaVu Sans', Verdana, sans-serif")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def file_png(figure: Figure) -> bytes:
    """The figure as a PNG with a white ground, two pixels for one."""
    figure.patch.set_alpha(1.0)
    stream = io.BytesIO()
    with drawing_settings():
        figure.savefig(stream, format="png", dpi=_PNG_DPI, metadata={"Software": None})
    return stream.getvalue()


def _tree(figure: Figure, title: str, description: str, name: str) -> ElementTree.Element:
    stream = io.StringIO()
    for artist in figure.findobj():
        # Names of artists become ids, and no XML may hold a control character.
        artist.set_gid(legible(artist.get_gid() or "") or None)
    with drawing_settings():
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(stream, format="svg", metadata=metadata)
    root = ElementTree.fromstring(stream.getvalue())  # noqa: S314 - written three lines above
    _remove_unwanted(root)
    for element in root.iter():
        _spell_out(element)
    _rename_ids(root, name)
    root.set("stroke-linejoin", "round")
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
    for tag, text in (("desc", description), ("title", title)):
        said = ElementTree.Element(tag, {"id": f"{name}-{tag}"})
        said.text = legible(text, _LONGEST_DESCRIPTION)
        root.insert(0, said)
    return root


def _remove_unwanted(root: ElementTree.Element) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.rpartition("}")[2] in ("metadata", "style", "title"):
                parent.remove(child)


def _spell_out(element: ElementTree.Element) -> None:
    """Style as attributes, and names without a prefix; the font is that of the page or file."""
    element.tag = element.tag.rpartition("}")[2]
    style = element.attrib.pop("style", "")
    for part in style.split(";"):
        key, _, value = part.partition(":")
        if key.strip() and key.strip() != "font-family":
            element.set(key.strip(), value.strip())
    link = element.attrib.pop(_XLINK, None)
    if link is not None:
        element.set("href", link)


def _rename_ids(root: ElementTree.Element, name: str) -> None:
    """Keep only the ids that something refers to, with `name` before them."""
    used = set()
    for element in root.iter():
        for key, value in element.attrib.items():
            found = _LINK.fullmatch(value) if key == "href" else _ADDRESS.fullmatch(value)
            if found is not None:
                used.add(found[1])
                element.set(key, value.replace(f"#{found[1]}", f"#{name}-{found[1]}"))
    for element in root.iter():
        own = element.attrib.pop("id", None)
        if own in used:
            element.set("id", f"{name}-{own}")
