"""Which pages there are, and what each is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cds_service.knowledge.algorithm_points import named_point
from cds_service.knowledge.drugs import Dose
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.rendering.addresses import (
    INDEX,
    TITLES,
    full_title_of,
    page_of_drug,
    place_of,
    place_of_row,
    seen_from,
    title_of,
)
from cds_service.knowledge.rendering.markdown import as_html, html_name, markdown_templates, tidy
from cds_service.knowledge.rendering.matrix import matrix, signed
from cds_service.knowledge.rendering.term_details import Details
from cds_service.knowledge.rendering.terms import FOLDERS, Kind, Term, Terms, list_page
from cds_service.knowledge.rendering.terms import TITLES as TERM_TITLES
from cds_service.knowledge.table_files import Row, Table
from cds_service.knowledge.verification import LEVELS
from cds_service.knowledge.verification import WORDS as LEVEL_WORDS
from cds_service.rules.words import in_words

_SPOKEN = ("says", "summary", "detail", "ask")
_ELSEWHERE = frozenset({"id", "rule", "source", "note", *_SPOKEN})
_ACTIONS = {
    "stop": "stop for good when",
    "withhold": "hold when",
    "reduce": "lower when",
    "ask": "ask when",
    "continue": "go on when",
}
_TIMES = {1: "once daily", 2: "twice daily"}


@dataclass(frozen=True, slots=True)
class TablePage:
    """A table with where it is shown: its page and the heading there."""

    table: Table
    page: str
    title: str


class Writer:
    """Writes the pages of one release in Markdown, each when it is asked for."""

    def __init__(self, knowledge: Knowledge, *, grouped: bool = True) -> None:
        """With `grouped` several concepts, value sets, tests or facts stand on one page."""
        self._knowledge = knowledge
        self.terms = Terms(knowledge, grouped=grouped)
        self.details = Details(knowledge)
        self._grouped = grouped
        self._term_pages = self.terms.pages()
        self._lists: dict[str, Kind] = {list_page(kind): kind for kind in FOLDERS}
        self._shared = {
            place_of(table): table
            for table in knowledge.all_tables()
            if place_of(table).startswith("tables/")
        }
        self._drugs = {page_of_drug(name): name for name in knowledge.drugs}
        self._templates = markdown_templates()
        self._templates.filters.update(
            dose=_dose,
            often=_often,
            title_of=title_of,
            lower_first=_lower_first,
            point=named_point,
            signed=signed,
        )
        self._templates.globals.update(
            knowledge=knowledge,
            level_words=LEVEL_WORDS,
            levels=LEVELS,
            actions=_ACTIONS,
            citation=_citation(knowledge),
            words=self._words,
            columns=_columns,
            evidence=_evidence(knowledge),
            page_of_drug=page_of_drug,
            place_of=place_of,
            title_of=title_of,
            full_title_of=full_title_of,
            place_of_row=place_of_row,
            terms=self.terms,
            details=self.details,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The pages by name, such as ``tables/gates.md``."""
        return (INDEX, *self._drugs, *self._shared, *self._lists, *self._term_pages)

    def write(self, name: str) -> tuple[str, str]:
        """Title and text of a page. Raises KeyError for a name that is not in `names`."""
        if name == INDEX:
            tables = self._shared.values()
            lists = [(TERM_TITLES[kind], page, self.terms.of_kind(kind))
                     for page, kind in self._lists.items()]  # fmt: skip
            return "What the service knows", self._text("index.md", shared=tables, lists=lists)
        if name in self._drugs:
            return self._drug(self._drugs[name])
        if name in self._lists:
            return self._list(name, self._lists[name])
        if name in self._term_pages:
            return self._terms_on(name, self._term_pages[name])
        table = self._shared[name]
        found = matrix(table, self._knowledge.drugs)
        return title_of(table), self._text("table.md", table=table, matrix=found)

    def _drug(self, name: str) -> tuple[str, str]:
        drug = self._knowledge.drugs[name].drug
        own = {
            table.name.rpartition("/")[2]: table
            for table in self._knowledge.all_tables()
            if place_of(table) == page_of_drug(name)
        }
        others = [table for key, table in own.items() if key not in TITLES]
        text = self._text("drug.md", drug=drug, own=own, others=others)
        return f"{drug.brand} ({name})", text

    def _list(self, page: str, kind: Kind) -> tuple[str, str]:
        groups, title = self.terms.of_kind(kind), TERM_TITLES[kind]
        return title, self._text("terms.md", page=page, kind=kind, title=title, groups=groups)

    def _terms_on(self, page: str, terms: Sequence[Term]) -> tuple[str, str]:
        first = terms[0]
        # A page of its own has no heading above that of the term.
        group = first.group if self._grouped else ""
        depth = 2 if group else 1
        entries = [
            self._text("term.md", term=term, page=page, depth=depth, here=partial(seen_from, page))
            for term in terms
        ]
        title = TERM_TITLES[first.kind]
        text = self._text(
            "term_page.md",
            entries=[Markup(entry) for entry in entries],  # noqa: S704 - written by a template
            group=group,
            title=title,
            sources=self.details.sources(terms),
        )
        return (f"{title}: {group.replace('_', ' ')}" if group else first.name), text

    def _words(self, row: Row, column: str) -> tuple[tuple[int, Markup], ...]:
        """The lines of a rule in words; the pages of rows lie one folder deep."""
        rule = row.rules.get(column)
        if rule is None:
            return ()
        page = "drugs/" if row.table.startswith("drugs/") else "tables/"
        return tuple(
            (depth, self.terms.link_names(page, rule, line))
            for depth, line in in_words(rule.expression)
        )

    def _text(self, template: str, **values: object) -> str:
        return tidy(self._templates.get_template(template).render(**values))


def rendered(knowledge: Knowledge, *, html: bool = False) -> Mapping[str, str]:
    """Every page by its name as Markdown, with `html` the same as HTML beside it.

    The same release gives the same bytes; nothing of this machine or this day gets in.
    """
    writer = Writer(knowledge)
    pages = {name: writer.write(name) for name in sorted(writer.names)}
    if html:
        return _both(pages, knowledge.release.version)
    return {name: text for name, (_, text) in pages.items()}


def _both(pages: Mapping[str, tuple[str, str]], release: str) -> Mapping[str, str]:
    shell = Environment(
        loader=PackageLoader("cds_service.knowledge.rendering"),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    ).get_template("page.html")
    found: dict[str, str] = {}
    for name, (title, text) in pages.items():
        found[name] = text
        body = as_html(found[name])
        home = "../" * name.count("/") + "index.html"
        found[html_name(name)] = shell.render(title=title, body=body, home=home, release=release)
    return found


def _dose(dose: Dose) -> str:
    amount = f"{dose.amount_mg:f}"
    return f"{amount} mg {_often(dose.per_day)}"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _often(per_day: int | Decimal) -> str:
    return _TIMES.get(int(per_day), f"{per_day} times daily")


def _columns(row: Row) -> tuple[tuple[str, str], ...]:
    """The cells that are neither identity, sentence, rule nor source, with their headings."""
    return tuple(
        (name.replace("_", " "), cell)
        for name, cell in row.cells.items()
        if cell and name not in _ELSEWHERE and name not in row.rules and name != "evidence"
    )


def _citation(knowledge: Knowledge) -> Callable[[str], dict[str, object]]:
    def citation(name: str) -> dict[str, object]:
        source = knowledge.sources[name]
        return {
            "text": source.citation.rstrip("."),
            "kind": ", ".join(filter(None, (source.kind, source.published_by))),
            "checked": source.date_checked,
            "address": source.address,
        }

    return citation


def _evidence(knowledge: Knowledge) -> Callable[[Row], tuple[str, ...]]:
    def evidence(row: Row) -> tuple[str, ...]:
        if "evidence" not in row.cells:
            return ()
        found = [knowledge.result(name) for name in row.entries("evidence")]
        return tuple(
            f"{study.name}, {result.endpoint} ({result.report})" for study, result in found
        )

    return evidence
