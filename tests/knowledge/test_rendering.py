"""The pages made of the tables: whole, current, and literal about what the tables say."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from cds_service.knowledge.algorithm_points import SECTIONS, named_point
from cds_service.knowledge.release import Knowledge, load_knowledge
from cds_service.knowledge.rendering import Writer, compare, rendered, write
from cds_service.knowledge.rendering.addresses import INDEX, page_of_drug, place_of
from cds_service.knowledge.rendering.markdown import anchor, as_html, code, link, literal
from cds_service.knowledge.rendering.matrix import matrix, signed
from cds_service.knowledge.rendering.terms import Terms
from cds_service.knowledge.table_files import Row, Table
from cds_service.knowledge.uses import Uses, members_named
from cds_service.knowledge.verification import WORDS
from tests.packaged import released_knowledge

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "knowledge"


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return released_knowledge()


@pytest.fixture(scope="module")
def pages(knowledge: Knowledge) -> Mapping[str, str]:
    return rendered(knowledge, html=True)


def one_row_of(knowledge: Knowledge, table: str) -> Row:
    return knowledge.tables[table].rows[0]


def with_cells(row: Row, **cells: str) -> Row:
    return replace(row, cells={**row.cells, **cells})


# -- the committed pages -------------------------------------------------------------------------


def test_the_committed_pages_are_the_markdown_alone_and_current_to_the_byte(
    knowledge: Knowledge,
) -> None:
    assert list(compare(COMMITTED, rendered(knowledge))) == [], "run: alk-cds knowledge render"


@pytest.mark.slow
def test_the_same_release_gives_the_same_pages(pages: Mapping[str, str]) -> None:
    assert rendered(load_knowledge(), html=True) == pages


def test_html_is_added_to_the_markdown_and_changes_none_of_it(
    knowledge: Knowledge, pages: Mapping[str, str]
) -> None:
    assert {name: text for name, text in pages.items() if name.endswith(".md")} == rendered(
        knowledge
    )


def test_every_page_is_there_as_markdown_and_as_html(pages: Mapping[str, str]) -> None:
    markdown = {name.removesuffix(".md").replace("README", "index") for name in pages
                if name.endswith(".md")}  # fmt: skip
    html = {name.removesuffix(".html") for name in pages if name.endswith(".html")}

    assert markdown == html
    assert len(pages) == len(markdown) + len(html)


# -- what stands on them -------------------------------------------------------------------------


def test_every_point_of_the_algorithm_is_named_by_what_it_is_about(knowledge: Knowledge) -> None:
    tables = knowledge.all_tables()
    points = {point for table in tables for row in table for point in row.algorithm_ids}
    assert points
    for point in points:
        assert named_point(point).removeprefix(f"{point} ").strip("()") in SECTIONS.values(), point


def test_an_answer_of_the_matrix_has_a_sign_and_a_look() -> None:
    assert signed("resistant (not verified)") == "✗ resistant (not verified)"
    assert signed("sensitive / resistant") == "sensitive / resistant"
    page = as_html("| a |\n| --- |\n| ✗ resistant |\n| resistant |\n")
    assert '<td class="said-no">✗ resistant</td>' in page
    assert "<td>resistant</td>" in page


def test_every_row_of_every_table_stands_on_its_page_with_rule_and_basis(
    knowledge: Knowledge, pages: Mapping[str, str]
) -> None:
    for table in knowledge.all_tables():
        page = pages[place_of(table)]
        for row in table:
            part = re.split(r"\n#{2,4} ", page.partition(f"#### {row.identifier}\n")[2])[0]
            assert part, row.identifier
            for column in ("summary", "detail", "says", "ask", "note"):
                assert literal(row.cells.get(column, "")) in part, column
            for column, rule in row.rules.items():
                assert code(rule.text) in part, column
            points = ", ".join(map(literal, map(named_point, row.algorithm_ids)))
            assert f"- Algorithm: {points}" in part
            for name in row.sources:
                assert literal(knowledge.sources[name].citation.rstrip(".")) in part
            assert f"\n- Level: {WORDS[row.level]}" in part
            assert ("\n- Signed: " in part) is (row.identifier in knowledge.signatures)
            assert ("\n- Note for reviewers: " in part) is bool(row.cells["note"])
            assert ("**check the current label**" in part) is not row.verified


def test_a_page_of_a_drug_follows_the_order_of_a_label(
    knowledge: Knowledge, pages: Mapping[str, str]
) -> None:
    order = ["At a glance", "Strengths", "Indications", "Start dose, food and administration",
             "Dose ladder and floor", "Lead-in and restart", "Dose changes", "Monitoring",
             "Interactions", "Organ impairment", "Special populations",
             "Pregnancy, contraception and lactation", "Alerts"]  # fmt: skip
    for drug in knowledge.drugs:
        headings = [line[3:] for line in pages[page_of_drug(drug)].splitlines()
                    if line.startswith("## ")]  # fmt: skip
        assert headings[: len(order)] == order
        assert headings[-1] == "Codes"


def test_a_page_of_a_drug_opens_with_contents_the_share_verified_and_the_compact_table(
    knowledge: Knowledge, pages: Mapping[str, str]
) -> None:
    for name, tables in knowledge.drugs.items():
        head, _, rest = pages[page_of_drug(name)].partition("\n## At a glance\n")
        own = (tables.dose_changes, tables.monitoring, tables.interactions, tables.populations)
        rows = [row for table in own if table is not None for row in table]
        verified = sum(row.verified for row in rows)
        assert (
            f"Verified: {verified} of {len(rows)} rows ({100 * verified / len(rows):.0f} %)" in head
        )
        headings = [line[3:] for line in pages[page_of_drug(name)].splitlines()
                    if line.startswith("## ")]  # fmt: skip
        assert f"Contents: {', '.join(str(link(it, '#' + anchor(it))) for it in headings)}." in head
        compact = rest.partition("\n## ")[0]
        assert "| finding | hold, lower or stop | resume | dose | level |" in compact
        assert tables.dose_changes is not None
        for row in tables.dose_changes:
            (line,) = (line for line in compact.splitlines() if f"](#{row.identifier})" in line)
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            assert str(code(row.cells["when"])) in cells[1]
            assert (cells[2] != "") is (row.cells["until"] != "")
            assert cells[3] == row.cells["resume"]
            assert cells[4] == WORDS[row.level]


def test_every_block_of_a_drug_shows_its_sources(
    knowledge: Knowledge, pages: Mapping[str, str]
) -> None:
    for name, tables in knowledge.drugs.items():
        drug = tables.drug
        page = pages[page_of_drug(name)]
        blocks = [drug.dosing, drug.ladder, *drug.indications, *drug.organ_impairment.hepatic]
        for source in {source for block in blocks for source in block.sources}:
            assert literal(knowledge.sources[source].citation.rstrip(".")) in page


def test_a_table_that_a_drug_does_not_have_is_said_to_be_missing(knowledge: Knowledge) -> None:
    bare = replace(knowledge.drugs["alectinib"], dose_changes=None, monitoring=None)
    less = replace(knowledge, drugs={"alectinib": bare})

    page = rendered(less)[page_of_drug("alectinib")]

    assert page.count("This release has no table for it") == 2


def test_the_index_leads_to_every_page_or_to_a_list_of_it(pages: Mapping[str, str]) -> None:
    for name in pages:
        if name.endswith(".md") and name != INDEX:
            folder, _, file = name.rpartition("/")
            listed = pages.get(f"{folder}/README.md", "")
            assert f"]({name})" in pages[INDEX] or f"](../{folder}/{file}" in listed, name


def test_every_link_inside_the_pages_leads_to_a_page_and_a_heading_that_are_there(
    pages: Mapping[str, str],
) -> None:
    headings = {
        name: {anchor(unescape(line.lstrip("# ")).replace("\\", "")) for line in text.splitlines()
               if line.startswith("#")}
        for name, text in pages.items() if name.endswith(".md")
    }  # fmt: skip
    for name, text in pages.items():
        if not name.endswith(".md"):
            continue
        for target in re.findall(r"\]\(([^)]+)\)", text):
            if ":" in target or "/../" in target or target.startswith("../../"):
                continue
            page, _, place = target.partition("#")
            there = posixpath.normpath(posixpath.join(posixpath.dirname(name), page))
            if there.startswith(".."):
                continue  # beside the pages of the release: docs/
            there = there if page else name
            assert there in headings, (name, target)
            assert not place or place in headings[there], (name, target)


# -- what rules name -------------------------------------------------------------------------------


def test_every_class_concept_value_set_test_and_fact_has_a_page_of_its_own(
    knowledge: Knowledge,
) -> None:
    writer = Writer(knowledge, grouped=False)
    terms = list(writer.terms)
    assert len({term.own_page for term in terms}) == len(terms)
    wanted = {
        "class": set(knowledge.codes.medication_classes),
        "concept": set(knowledge.concepts),
        "value set": set(knowledge.codes.value_sets),
        "test": set(knowledge.codes.analytes),
    }
    for kind, names in wanted.items():
        assert {term.name for term in terms if term.kind == kind} == names
    shown = {term.name for term in terms if term.kind in ("concept", "fact")}
    assert set(knowledge.vocabulary.names) - set(knowledge.fact_list.analytes) == shown
    assert {term.own_page for term in terms} <= set(writer.names)


def test_the_page_of_a_class_shows_each_member_with_names_codes_source_and_level(
    knowledge: Knowledge,
) -> None:
    _, page = Writer(knowledge, grouped=False).write("classes/strong-cyp3a-inducer.md")
    inducers = knowledge.codes.medication_classes["strong CYP3A inducer"]
    for name, membership in inducers.ingredients.items():
        (line,) = (line for line in page.splitlines() if line.startswith(f"| {name} |")
                   and "RxNorm" not in line and "ATC" not in line and "SNOMED" not in line
                   and "UNII" not in line)  # fmt: skip
        assert ("| **no**" in line) is not membership.verified
        assert all(source in line for source in membership.sources)
        for known in knowledge.codes.ingredients[name].codes:
            assert f"`{known.code}`" in page
    assert "rifampicin" in page
    assert "(../drugs/lorlatinib.md#lorlatinib-interaction-strong-inducer)" in page


def test_each_concept_class_test_and_fact_in_a_condition_is_a_link_to_its_page(
    knowledge: Knowledge, pages: Mapping[str, str]
) -> None:
    terms = Terms(knowledge, grouped=True)
    places = {(term.kind, term.name): terms.place(term) for term in terms}
    for table in knowledge.all_tables():
        for row in table:
            part = pages[place_of(table)].partition(f"#### {row.identifier}\n")[2]
            part = part.partition("\n#### ")[0]
            for rule in row.rules.values():
                wanted = {
                    places.get(("concept", name))
                    or places.get(("test", knowledge.fact_list.analytes.get(name, "")))
                    or places[("fact", name)]
                    for name in rule.facts_named
                }
                wanted |= {places[("class", name)] for name in members_named(rule)
                           if ("class", name) in places}  # fmt: skip
                for place in wanted:
                    assert f"](../{place})" in part, (row.identifier, place)


def test_what_a_site_added_stands_on_the_pages_as_its_own(
    knowledge: Knowledge, tmp_path: Path
) -> None:
    file = tmp_path / "local.yaml"
    file.write_text(
        """
labs: [{system: "https://hospital.example/codes", code: LAB-1, analyte: ALT}]
drugs: [{system: "https://hospital.example/codes", code: DRUG-1, ingredient: rifampin}]
value_sets: [{system: "https://hospital.example/codes", code: SET-1, value_set: brain MRI}]
concepts: [{system: "https://hospital.example/codes", code: IDEA-1, concept: hepatitis}]
""",
        encoding="utf-8",
    )
    writer = Writer(knowledge.with_local(file), grouped=False)
    for name, code_there in (
        ("tests/alt.md", "LAB-1"),
        ("value_sets/brain-mri.md", "SET-1"),
        ("concepts/hepatitis.md", "IDEA-1"),
    ):
        _, page = writer.write(name)
        assert f"| https://hospital.example/codes | `{code_there}` |" in page
        assert "what the site added to this release" in page
    (inducer,) = (term for term in writer.terms if term.name == "strong CYP3A inducer")
    assert "DRUG-1" in writer.details.products(inducer)


def test_a_name_inside_a_longer_one_is_no_link_of_its_own(knowledge: Knowledge) -> None:
    rule = knowledge.compiler.compile("pregnancy test not judged present or pregnancy present")
    line = Terms(knowledge, grouped=False).link_names(
        "tables/", rule, "pregnancy test not judged: recorded, pregnancy: recorded"
    )
    assert line == (
        "[pregnancy test not judged](../facts/pregnancy-test-not-judged.md): recorded,"
        " [pregnancy](../concepts/pregnancy.md): recorded"
    )


def test_every_rule_is_listed_by_what_it_names(knowledge: Knowledge) -> None:
    uses = Uses(knowledge)
    for table in knowledge.all_tables():
        for row in table:
            for rule in row.rules.values():
                for fact in rule.facts_named:
                    found = {use.row.identifier: use.through for use in uses.of_fact(fact)}
                    assert found[row.identifier] == ""
                for name in members_named(rule) & set(knowledge.codes.medication_classes):
                    assert row.identifier in {use.row.identifier for use in uses.of_codes(name)}


def test_a_rule_that_names_a_broader_concept_or_a_fact_that_is_read_from_it_uses_it_too(
    knowledge: Knowledge,
) -> None:
    uses = Uses(knowledge)
    by_concept = {use.row.identifier: use.through for use in uses.of_concept("hallucinations")}
    assert by_concept["lorlatinib-nervous-system-stop"] == "nervous system effects"
    by_class = {use.row.identifier: use.through for use in uses.of_codes("beta-blocker")}
    assert by_class["alectinib-bradycardia-life-threatening-stop"] == "contributing medication"
    assert by_class["alectinib-interaction-bradycardia"] == ""


def test_a_table_that_nobody_has_thought_of_yet_gets_a_page(knowledge: Knowledge) -> None:
    row = one_row_of(knowledge, "gates")
    new = Table("later_things", (with_cells(row, colour="green"),))
    more = replace(knowledge, tables={**knowledge.tables, new.name: new})

    found = rendered(more)

    assert "- Colour: green" in found["tables/later_things.md"]
    assert "](tables/later_things.md)" in found[INDEX]


# -- text from the tables is text ------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["<b>x</b>", "a | b", "*x*", "_x_", "[x](y)", "# x", "1. x", "`x`"]
)
def test_a_cell_is_shown_literally(text: str) -> None:
    shown = as_html(f"- {literal(text)}")

    assert f"<li>{text}</li>" in unescape(str(shown))


@pytest.mark.slow
def test_a_cell_with_markup_stays_text_in_the_pages(knowledge: Knowledge) -> None:
    row = with_cells(one_row_of(knowledge, "gates"), detail="<script>alert(1)</script>")
    tables = {**knowledge.tables, "gates": Table("gates", (row,))}

    found = rendered(replace(knowledge, tables=tables), html=True)

    assert "<script" not in found["tables/gates.md"]
    assert "<script" not in found["tables/gates.html"]
    assert "&lt;script&gt;" in found["tables/gates.html"]


def test_html_written_by_hand_does_not_get_through() -> None:
    assert "<script" not in as_html("text <script>alert(1)</script>")


def test_links_between_pages_lead_to_html_in_html() -> None:
    text = "[a](../README.md) [b](drugs/x.md#row) [c](https://example.org/x.md)\n\n## A heading"

    html = as_html(text)

    assert 'href="../index.html"' in html
    assert 'href="drugs/x.html#row"' in html
    assert 'href="https://example.org/x.md"' in html
    assert '<h2 id="a-heading">' in html


def test_an_address_with_brackets_stays_one_link() -> None:
    assert link("x", "https://example.org/a(1)") == "[x](https://example.org/a%281%29)"


# -- the matrix ------------------------------------------------------------------------------------


def resistance(row: Row, *cells: Mapping[str, str]) -> Table:
    base = {"id": "x", "source": "", "note": ""}
    rows = (
        replace(row, cells={**base, **own}, level="none" if "unread" in own else "trial")
        for own in cells
    )
    return Table("resistance", tuple(rows))


def test_a_resistance_table_of_pairs_becomes_a_matrix(knowledge: Knowledge) -> None:
    table = resistance(
        one_row_of(knowledge, "gates"),
        {"finding": "G1202R", "drug": "lorlatinib", "effect": "sensitive"},
        {"finding": "G1202R", "drug": "alectinib", "effect": "resistant", "unread": "yes"},
        {"finding": "F1174L", "drug": "ceritinib; crizotinib", "effect": "resistant"},
    )

    found = matrix(table, knowledge.drugs)

    assert found is not None
    assert found.drugs == ("alectinib", "ceritinib", "crizotinib", "lorlatinib")
    assert found.lines == (
        ("G1202R", ("resistant (not verified)", "", "", "sensitive")),
        ("F1174L", ("", "resistant", "resistant", "")),
    )


def test_a_resistance_table_with_a_column_for_each_drug_becomes_a_matrix(
    knowledge: Knowledge,
) -> None:
    table = resistance(
        one_row_of(knowledge, "gates"),
        {"finding": "L1196M", "crizotinib": "resistant", "lorlatinib": "sensitive"},
    )

    found = matrix(table, knowledge.drugs)

    assert found is not None
    assert found.lines == (("L1196M", ("resistant", "sensitive")),)


def test_no_other_table_is_taken_for_a_matrix(knowledge: Knowledge) -> None:
    assert all(matrix(table, knowledge.drugs) is None
               for table in knowledge.all_tables() if table.name != "resistance")  # fmt: skip


# -- files -----------------------------------------------------------------------------------------


def test_pages_are_written_and_then_found_current(tmp_path: Path) -> None:
    given = {"README.md": "a\n", "drugs/x.md": "b\n"}

    assert write(tmp_path, given)
    assert not compare(tmp_path, given)


def test_a_missing_an_old_and_a_left_over_page_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, {"old.md": "a\n", "gone.html": "b\n"})
    (tmp_path / "notes.txt").write_text("kept")

    found = compare(tmp_path, {"old.md": "a \n", "new.md": "c\n"})

    assert (found.missing, found.behind, found.left_over) == (
        ("new.md",),
        ("old.md",),
        ("gone.html",),
    )
    write(tmp_path, {"old.md": "a \n", "new.md": "c\n"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.md", "notes.txt", "old.md"]
