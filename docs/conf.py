"""The documentation as a site: `make docs`. The pages are those of this folder, as they stand.

In the repository pages link to code and tests beside them, which are not on the site: there the
file is named instead.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

project = "Decision support for ALK-positive lung cancer"
html_title = project
copyright = "the contributors, Apache License 2.0"  # noqa: A001 - the name that Sphinx reads
extensions = ["myst_parser"]
exclude_patterns = ["algorithm_ids/**"]
root_doc = "index"
html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 4
# Code blocks hold `[...]` where something is left out.
suppress_warnings = ["myst.header", "misc.highlighting_failure"]

NAVIGATION = {
    "index": {
        "Learn": ["for-clinicians", "glossary"],
        "Do": [
            "run", "connect-an-ehr", "sandboxes", "change-knowledge", "conformance-kit", "tests",
        ],
        "Look up": [
            "knowledge/README", "rules", "forms", "course", "coverage", "conformance", "privacy",
        ],
        "Understand": [
            "architecture", "decisions/README", "safety", "reliability", "performance", "quality",
        ],
    },
    "coverage": {"Families of points": ["coverage/*"]},
    "decisions/README": {"Decisions": ["*"]},
    "knowledge/README": {"Knowledge": ["*/*"]},
}  # fmt: skip
"""The sidebar, by the page under which it stands. In the repository pages are reached by links."""

_LINK = re.compile(r"\[(?P<text>[^\]\n]+)\]\((?P<target>[^)#:\s]+)(?P<anchor>#[^)\s]*)?\)")
_ON_THE_SITE = (".md", ".png", ".svg")


def named(page: str, markdown: str) -> str:
    """The Markdown of a page (its path without the ending) whose links all stay on the site."""
    folder = posixpath.dirname(page)

    def told(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, match["target"]))
        if not path.startswith("..") and path.endswith(_ON_THE_SITE):
            return match[0]
        words = match["text"].strip("`")
        name = path.removeprefix("../") if path.startswith("..") else f"docs/{path}"
        return f"`{name}`" if posixpath.basename(name) == words else f"{match['text']} (`{name}`)"

    return _LINK.sub(told, markdown)


def _contents(page: str) -> Iterator[str]:
    """The directives that put pages into the sidebar; they show nothing on the page itself."""
    for caption, pages in NAVIGATION.get(page, {}).items():
        listed = "\n".join(pages)
        yield f"\n\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n\n{listed}\n```\n"


def setup(app: Any) -> None:
    """Called by Sphinx."""

    def read(_: Any, page: str, source: list[str]) -> None:
        source[0] = named(page, source[0]) + "".join(_contents(page))

    app.connect("source-read", read)
