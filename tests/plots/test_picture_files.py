"""Figures as SVG and PNG: for a page, and for a file."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from matplotlib.figure import Figure

from cds_service.plots.decision_plot import decision_figure
from cds_service.plots.files import drawing_settings, file_png, file_svg, page_svg
from tests.plots.courses import TODAY, alt, order, value

pytestmark = pytest.mark.slow

MARKUP = "<script>alert(1)</script>&\"'\x00\x0b\x1b"


def figure(fact: str = "ALT") -> Figure:
    course = replace(alt(value(3, "240"), value(9, "20", comparator="<")), fact=fact)
    with drawing_settings():
        found = decision_figure([course], [order("ended", 60, 20), order("active", 9)], TODAY)
    assert found is not None
    return found


def test_the_svg_for_a_page_has_no_style_no_script_and_refers_to_itself_only() -> None:
    root = ElementTree.fromstring(page_svg(figure(), "Title", "Words", "one"))

    own = {element.get("id") for element in root.iter()}
    for element in root.iter():
        assert element.tag not in {"style", "script", "image", "metadata", "a", "foreignObject"}
        for name, content in element.attrib.items():
            assert name != "style"
            assert not name.startswith("on")
            assert "://" not in content
            for reference in re.findall(r"url\(#(.+?)\)", content):
                assert reference in own
        link = element.get("href")
        assert link is None or link.removeprefix("#") in own


def test_title_and_description_are_there_for_screen_readers() -> None:
    root = ElementTree.fromstring(page_svg(figure(), "The values", "ALT: 2 results", "one"))

    named = {element.get("id"): element.text for element in root.iter() if element.get("id")}
    title, description = root.attrib["aria-labelledby"].split()
    assert root.get("role") == "img"
    assert (named[title], named[description]) == ("The values", "ALT: 2 results")


def test_text_follows_the_colour_of_the_page() -> None:
    root = ElementTree.fromstring(page_svg(figure(), "", "", "one"))

    assert {text.get("fill") for text in root.iter("text")} <= {"currentColor", "#c4473a"}


def test_two_pictures_of_one_page_share_no_id() -> None:
    ids = [
        set(re.findall(r' id="([^"]+)"', page_svg(figure(), "", "", name))) for name in ("a", "b")
    ]

    assert ids[0]
    assert ids[0].isdisjoint(ids[1])


def test_markup_and_control_characters_in_names_stay_text() -> None:
    svg = page_svg(figure("ALT" + MARKUP), "T" + MARKUP, "D" + MARKUP, "one")

    assert "<script" not in svg
    texts = [text.text for text in ElementTree.fromstring(svg).iter("text")]
    assert "ALT<script>alert(1)</script>&\"' (× ULN)" in texts


def test_the_same_figure_gives_the_same_svg() -> None:
    assert page_svg(figure(), "", "", "one") == page_svg(figure(), "", "", "one")
    assert file_svg(figure(), "", "") == file_svg(figure(), "", "")


def test_a_file_is_a_whole_svg_that_names_its_namespace() -> None:
    root = ElementTree.fromstring(file_svg(figure(), "Title", "Words"))

    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.findtext("{http://www.w3.org/2000/svg}title") == "Title"


def test_a_png_is_two_pixels_for_one_and_holds_no_date() -> None:
    content = file_png(figure())

    assert content.startswith(b"\x89PNG")
    assert int.from_bytes(content[16:20], "big") == 2 * 860
    assert content == file_png(figure())


def test_pages_opened_at_once_get_the_picture_they_asked_for() -> None:
    names = [f"fact{number}" for number in range(12)]

    with ThreadPoolExecutor(6) as pool:
        drawn = list(pool.map(lambda name: page_svg(figure(name), "", "", "one"), names))

    for name, svg in zip(names, drawn, strict=True):
        assert f"{name} (× ULN)" in svg
        assert sum(other + " (" in svg for other in names) == 1


def test_the_application_starts_without_the_plotting_library() -> None:
    code = (
        "import sys, cds_service.app, cds_service.commands.local, hooks\n"
        "sys.exit('matplotlib' in sys.modules or 'numpy' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
