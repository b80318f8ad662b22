"""Which pages there are, and what each is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from jinja2 import Environment, PackageLoader, StrictUndefined

from cds_service.knowledge.drugs import Dose
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.rendering.markdown import as_html, html_name, markdown_templates, tidy
from cds_service.knowledge.rendering.matrix import matrix
from cds_service.knowledge.table_files import Row, Table
from cds_service.knowledge.verification import WORDS as LEVEL_WORDS
from cds_service.rules.words import in_words

INDEX = "README.md"

TITLES = {
    "dose_changes": "Dose changes",
    "monitoring": "Monitoring",
    "interactions": "Interactions",
    "populations": "Special populations",
}
"""Headings of the tables of a drug that this release may have; others take their file's name."""

_SPOKEN = ("says", "summary", "detail", "ask")
_ELSEWHERE = frozenset({"id", "rule", "source", "note", *_SPOKEN})
_TIMES = {1: "once daily", 2: "twice daily"}


@dataclass(frozen=True, slots=True)
class TablePage:
    """A table with where it is shown: its page and the heading there."""

    table: Table
    page: str
    title: str


def page_of_drug(drug: str) -> str:
    """The page of a drug."""
    return f"drugs/{drug}.md"


def place_of(table: Table) -> str:
    """The page on which the rows of a table stand."""
    folder, _, rest = table.name.partition("/")
    if folder == "drugs" and rest:
        return page_of_drug(rest.partition("/")[0])
    return f"tables/{table.name}.md"


def title_of(table: Table) -> str:
    """What a table is called in headings."""
    name = table.name.rpartition("/")[2]
    return TITLES.get(name, name.replace("_", " ").capitalize())


class Writer:
    """Writes the pages of one release in Markdown, each when it is asked for."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._shared = {
            place_of(table): table
            for table in knowledge.all_tables()
            if place_of(table).startswith("tables/")
        }
        self._drugs = {page_of_drug(name): name for name in knowledge.drugs}
        self._templates = markdown_templates()
        self._templates.filters.update(dose=_dose, often=_often)
        self._templates.globals.update(
            knowledge=knowledge,
            level_words=LEVEL_WORDS,
            citation=_citation(knowledge),
            words=_words,
            columns=_columns,
            evidence=_evidence(knowledge),
            page_of_drug=page_of_drug,
            place_of=place_of,
            title_of=title_of,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The pages by name, such as ``tables/gates.md``."""
        return (INDEX, *self._drugs, *self._shared)

    def write(self, name: str) -> tuple[str, str]:
        """Title and text of a page. Raises KeyError for a name that is not in `names`."""
        if name == INDEX:
            tables = self._shared.values()
            return "What the service knows", self._text("index.md", shared=tables)
        if name in self._drugs:
            return self._drug(self._drugs[name])
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


def _often(per_day: int | Decimal) -> str:
    return _TIMES.get(int(per_day), f"{per_day} times daily")


def _words(row: Row, column: str) -> tuple[tuple[int, str], ...]:
    rule = row.rules.get(column)
    return in_words(rule.expression) if rule is not None else ()


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
            "kind": source.kind,
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
