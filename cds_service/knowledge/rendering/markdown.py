"""Markdown written from templates in which every value is literal unless it says otherwise."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_SPECIAL = re.compile(r"([\\`*_\[\]|~])")
_LINE_START = re.compile(r"^(\d*)([-+#.)])(?=\s|$)")
_LINE_BREAK = re.compile(r"\s*\n\s*")
_HOME = "README"


def literal(value: object) -> Markup:
    """A value as text that Markdown leaves alone: no emphasis, link, table cell or HTML."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, Decimal):
        value = f"{value:f}"
    if isinstance(value, date):
        value = f"{value.day} {value:%B %Y}"
    # Blanks at the ends stay: a template indents and joins with them.
    line = _LINE_BREAK.sub(" ", str(value))
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = _LINE_START.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", line))
    return Markup(line)  # noqa: S704 - escaped in the two lines above


def code(value: object) -> Markup:
    """A value as a code span, as written."""
    text = " ".join(str(value).split()).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return Markup(f"{fence}{text}{fence}")  # noqa: S704 - a code span shows everything literally


def link(label: object, address: str) -> Markup:
    """A link; brackets in the address cannot end it early."""
    target = address.replace("(", "%28").replace(")", "%29").replace(" ", "%20")
    return Markup(f"[{literal(label)}]({target})")  # noqa: S704 - both parts are escaped


def sentence(text: str) -> str:
    """A text with a capital at its beginning, the rest as it is."""
    return text[:1].upper() + text[1:]


def anchor(title: str) -> str:
    """The anchor that a forge makes of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def markdown_templates() -> Environment:
    """The environment of the Markdown templates."""
    environment = Environment(
        loader=PackageLoader("cds_service.knowledge.rendering"),
        autoescape=True,
        finalize=literal,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(code=code, link=link, anchor=anchor, sentence=sentence)
    return environment


def tidy(text: str) -> str:
    """At most one empty line in a row, none at the ends, no blanks at the end of a line."""
    lines = [line.rstrip() for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")


_STYLES = {"✓ ": "said-yes", "✗ ": "said-no", "~ ": "said-between"}
"""The look of a cell of a table that begins with a sign; the sign says it without the colour."""


def as_html(text: str) -> Markup:
    """The body of a page. Headings get the anchors that a forge would give them, and links to
    other pages lead to their HTML."""
    tokens = _PARSER.parse(text)
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(_words_of(tokens[place + 1])))
        if token.type == "td_open":
            style = _STYLES.get(tokens[place + 1].content[:2])
            if style is not None:
                token.attrSet("class", style)
        for child in token.children or ():
            target = child.attrGet("href")
            if child.type == "link_open" and isinstance(target, str):
                child.attrSet("href", _html_target(target))
    # The parser escapes every text and was told to let no HTML of the page through.
    return Markup(_PARSER.renderer.render(tokens, _PARSER.options, {}))  # noqa: S704


def _words_of(heading: Token) -> str:
    return "".join(child.content for child in heading.children or ())


def _html_target(target: str) -> str:
    page, mark, place = target.partition("#")
    if ":" in page or not page.endswith(".md"):
        return target
    return html_name(page) + mark + place


def html_name(page: str) -> str:
    """The HTML file of a Markdown page."""
    folder, slash, name = page.rpartition("/")
    stem = name.removesuffix(".md")
    return f"{folder}{slash}{'index' if stem == _HOME else stem}.html"
