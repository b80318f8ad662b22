"""What the service knows, as pages: drugs, tables, what rules name, search, and what changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from importlib.resources.abc import Traversable
from itertools import count
from threading import Lock

from flask import Blueprint, Response, render_template, request
from markupsafe import Markup

from cds_service.knowledge.differences import Difference, differences
from cds_service.knowledge.places import MARK
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.rendering import Writer
from cds_service.knowledge.rendering.addresses import page_of_drug, place_of, title_of
from cds_service.knowledge.rendering.markdown import anchor, as_html, html_name
from cds_service.knowledge.rendering.terms import FOLDERS, list_page
from cds_service.knowledge.rendering.terms import TITLES as TERM_TITLES
from cds_service.knowledge.search_words import load_search_words
from cds_service.knowledge.table_files import Table
from cds_service.knowledge.yaml_files import read_mapping
from cds_service.web.knowledge_search import LONGEST_QUERY, Filters, RowSearch
from cds_service.web.security import content_security_policy, secure
from cds_service.web.term_search import TermSearch

_SHOWN_HITS = 100
_SHOWN_TERMS = 8


class KnowledgePages:
    """The pages of one release; each is made when somebody first looks at it, and kept."""

    def __init__(
        self, knowledge: Knowledge, folder: Traversable, earlier: Sequence[Traversable]
    ) -> None:
        self._knowledge = knowledge
        self._folder = folder
        self._earlier = {
            str(read_mapping(place.joinpath(MARK)).get("version")): place for place in earlier
        }
        self._lock = Lock()
        self._writer = Writer(knowledge, grouped=False)
        self._words = load_search_words(folder)
        self._names = {html_name(name): name for name in self._writer.names}
        self._lists = [
            (TERM_TITLES[kind], html_name(list_page(kind)),
             sum(map(len, self._writer.terms.of_kind(kind).values())))
            for kind in FOLDERS
        ]  # fmt: skip
        self._bodies: dict[str, tuple[str, Markup]] = {}
        self._compared: dict[str, tuple[Difference, ...]] = {}

    @cached_property
    def _search(self) -> RowSearch:
        return RowSearch(self._knowledge, self._words)

    @cached_property
    def _term_search(self) -> TermSearch:
        return TermSearch(self._knowledge, self._writer, self._words)

    def index(self) -> str:
        """``GET /knowledge/``, with ``?q=`` the rows that hold every word of it.

        ``drug``, ``table`` and ``level`` leave only rows of these; one alone lists them all.
        """
        query = " ".join(request.args.get("q", "")[:LONGEST_QUERY].split())
        filters = Filters(*(request.args.get(name, "") for name in ("drug", "table", "level")))
        hits = self._search.rows(query, filters)
        # The filters choose among rows; no page of a class or a concept is of one drug or level.
        terms = () if filters else self._term_search.find(query)
        return render_template(
            "web/knowledge.html",
            release=self._knowledge.release,
            drugs=[
                (name, tables.drug.brand, html_name(page_of_drug(name)), self._counts(name))
                for name, tables in self._knowledge.drugs.items()
            ],
            tables=[
                (title_of(table), html_name(place_of(table)), len(table), _not_verified(table))
                for table in self._knowledge.tables.values()
            ],
            query=query,
            filters=filters,
            choices=(
                ("drug", "Drug", [(name, name) for name in self._knowledge.drugs]),
                ("table", "Table", self._search.tables),
                ("level", "Verification", self._search.levels),
            ),
            hits=hits[:_SHOWN_HITS],
            found=len(hits),
            found_drugs=self._search.drugs(query),
            terms=terms[:_SHOWN_TERMS],
            more_terms=terms[_SHOWN_TERMS:],
            lists=self._lists,
            earlier=list(self._earlier),
        )

    def page(self, name: str) -> Response | str:
        """``GET /knowledge/<name>``: a drug, a table, or what rules name."""
        if name not in self._names:
            return _not_found("Nothing in this release has a page of that name.")
        title, body = self._body(name)
        return render_template(
            "web/knowledge_page.html", title=title, body=body, release=self._knowledge.release
        )

    def coverage(self) -> str:
        """``GET /knowledge/coverage``: which rows carry which point of the written algorithm."""
        points: dict[str, list[tuple[str, str, bool]]] = {}
        for table in self._knowledge.all_tables():
            page = html_name(place_of(table))
            for row in table:
                place = f"{page}#{anchor(row.identifier)}"
                for point in row.algorithm_ids:
                    points.setdefault(point, []).append((row.identifier, place, row.verified))
        return render_template(
            "web/knowledge_coverage.html",
            points=sorted(points.items(), key=lambda item: _by_number(item[0])),
            release=self._knowledge.release,
        )

    def changes(self) -> Response | str:
        """``GET /knowledge/changes``, ``?from=`` an earlier release, else the first one given."""
        wanted = request.args.get("from") or next(iter(self._earlier), None)
        if wanted is not None and wanted not in self._earlier:
            return _not_found("This service was given no earlier release of that version.")
        return render_template(
            "web/knowledge_changes.html",
            release=self._knowledge.release,
            earlier=list(self._earlier),
            wanted=wanted,
            found=() if wanted is None else self._differences(wanted),
        )

    def _counts(self, drug: str) -> tuple[int, int]:
        own = [
            table for table in self._knowledge.all_tables() if place_of(table) == page_of_drug(drug)
        ]
        return sum(map(len, own)), sum(map(_not_verified, own))

    def _body(self, name: str) -> tuple[str, Markup]:
        # One request makes a page, the others wait for it rather than make it too.
        with self._lock:
            if name not in self._bodies:
                title, text = self._writer.write(self._names[name])
                self._bodies[name] = title, _scrolling(as_html(text))
            return self._bodies[name]

    def _differences(self, version: str) -> tuple[Difference, ...]:
        with self._lock:
            if version not in self._compared:
                self._compared[version] = differences(self._earlier[version], self._folder)
            return self._compared[version]


def _not_verified(rows: Table) -> int:
    return sum(not row.verified for row in rows)


def _by_number(point: str) -> tuple[str, int, str]:
    family, _, number = point.rpartition("-")
    return family, int(number) if number.isdigit() else 0, number


def _scrolling(body: Markup) -> Markup:
    """Wide tables in a region that scrolls by itself, also by keyboard."""
    numbers = count(1)
    pieces = str(body).split("<table>")
    opened = [
        f'<div class="scroll" role="region" aria-label="Table {next(numbers)}" tabindex="0"><table>'
        for _ in pieces[1:]
    ]
    joined = pieces[0] + "".join(
        mark + piece for mark, piece in zip(opened, pieces[1:], strict=True)
    )
    # Text of the tables was escaped before; `</table>` can only be the end of one.
    return Markup(joined.replace("</table>", "</table></div>"))  # noqa: S704


def _not_found(happened: str) -> Response:
    trouble: Mapping[str, str] = {
        "title": "There is no such page",
        "happened": happened,
        "advice": "Go to the overview of the knowledge pages and choose from there.",
    }
    body = render_template("web/trouble.html", trouble=trouble)
    return Response(body, status=404, mimetype="text/html")


def create_knowledge_blueprint(
    knowledge: Knowledge,
    folder: Traversable,
    earlier: Sequence[Traversable] = (),
    frame_ancestors: Sequence[str] = (),
) -> Blueprint:
    """The blueprint with the pages below ``/knowledge/``.

    ``folder`` holds the tables of the release in use, ``earlier`` those of releases to compare it
    with. The pages hold no patient data. Raises KnowledgeError when one of the earlier folders
    has no readable release.
    """
    pages = KnowledgePages(knowledge, folder, earlier)
    blueprint = Blueprint("knowledge", __name__, template_folder="templates")
    addresses: tuple[tuple[str, str, Callable[..., Response | str]], ...] = (
        ("/knowledge/", "index", pages.index),
        ("/knowledge/index.html", "index_file", pages.index),
        ("/knowledge/coverage", "coverage", pages.coverage),
        ("/knowledge/changes", "changes", pages.changes),
        ("/knowledge/<path:name>", "page", pages.page),
    )
    for address, endpoint, view in addresses:
        blueprint.add_url_rule(address, endpoint, view)
    policy = content_security_policy(frame_ancestors, forms=True)
    blueprint.after_request(partial(secure, policy=policy))
    return blueprint
