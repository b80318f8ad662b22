"""Cards, refusals and traces for a terminal. Every meaning is in a word, colour only helps."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text
from rich.tree import Tree

from cds_service.knowledge.errors import KnowledgeError

WIDTH = 100
_COLOURS = {"critical": "red", "warning": "yellow", "info": "blue"}
_VERDICTS = {
    "met": ("MET", "green"),
    "not met": ("NOT MET", "dim"),
    "unknown": ("UNKNOWN", "magenta"),
}
_SHORT_BLOCKS = 3
_SHORT_LINES = 3


def console(*, stderr: bool = False) -> Console:
    """A console of at most 100 columns; a file or pipe gets exactly 100 and no colour."""
    found = Console(stderr=stderr, highlight=False)
    if not found.is_terminal or found.width > WIDTH:
        found = Console(stderr=stderr, highlight=False, width=WIDTH)
    return found


def loud(text: str) -> Panel:
    """A red box for something that must not be overlooked."""
    return Panel(Text(text, style="bold"), box=box.HEAVY, border_style="bold red", title="WARNING")


def unusable(out: Console, error: KnowledgeError) -> None:
    """What is wrong with a file of the tables, and where."""
    out.print(Text("A knowledge file cannot be used:", style="bold red"))
    for name, value in (
        ("file", error.file),
        ("place", error.where),
        ("row", error.row),
        ("column", error.column),
        ("expected", error.expected),
    ):
        if value not in (None, ""):
            out.print(Text(f"  {name}: {value}"))


def card_panel(card: Mapping[str, Any], *, short: bool = False) -> Panel:
    """One card in a box: indicator, summary, detail, suggestions with their action, links."""
    indicator = str(card["indicator"])
    colour = _COLOURS[indicator]
    parts: list[RenderableType] = [Text(str(card["summary"]), style="bold")]
    detail = str(card.get("detail", ""))
    if detail:
        parts.append(Padding(_shortened(detail) if short else Markdown(detail), (1, 0, 0, 0)))
    below = [*_suggestion_lines(card), *(_names(card) if short else _source_lines(card))]
    if below:
        parts.append(Padding(Group(*below), (1, 0, 0, 0)))
    return Panel(
        Group(*parts),
        title=Text(f" {indicator.upper()} ", style=f"bold {colour}"),
        title_align="left",
        border_style=colour,
        padding=(0, 1),
    )


def _shortened(detail: str) -> Text:
    """The first paragraphs of a detail without the marks of Markdown.

    Of a table stays a line for each row with its first two columns: the drug and dose, and what
    moves it for this patient.
    """
    blocks = detail.split("\n\n")
    lines: list[str] = []
    left_out = len(blocks) > _SHORT_BLOCKS
    for block in blocks[:_SHORT_BLOCKS]:
        rows = block.split("\n")
        if block.startswith("|"):
            lines += [plain(f"- {_first_columns(row)}") for row in rows[2:]]
            left_out = True
            continue
        lines += [plain(row) for row in rows[:_SHORT_LINES]]
        left_out = left_out or len(rows) > _SHORT_LINES
    text = Text("\n".join(lines))
    if left_out:
        text.append("\n[...]", style="dim")
    return text


def _first_columns(row: str) -> str:
    cells = [cell.strip() for cell in row.strip("| ").split(" | ")]
    return ": ".join(cells[:2])


def plain(markdown: str) -> str:
    """One line of the service's own Markdown as people read it."""
    line = re.sub(r"^- ", "• ", markdown)
    line = line.replace("**", "")
    return html.unescape(re.sub(r"\\([^\w\s])", r"\1", line))


def _suggestion_lines(card: Mapping[str, Any]) -> Iterable[RenderableType]:
    suggestions: Sequence[Mapping[str, Any]] = card.get("suggestions", ())
    if suggestions:
        choose = "one of" if card.get("selectionBehavior") == "at-most-one" else "any of"
        yield Text(f"One click ({choose}):" if len(suggestions) > 1 else "One click:", style="bold")
    for suggestion in suggestions:
        mark = " (recommended)" if suggestion.get("isRecommended") else ""
        yield Padding(Text(f"> {suggestion['label']}{mark}", style="green"), (0, 0, 0, 2))
        for action in suggestion.get("actions", ()):
            yield Padding(Text(_action(action), style="dim"), (0, 0, 0, 6))


def _action(action: Mapping[str, Any]) -> str:
    resource = action.get("resource")
    if not isinstance(resource, Mapping):
        return f"{action['type']} {action.get('resourceId', '')}"
    named = f"{action['type']} {resource['resourceType']}"
    if "id" in resource:
        named += f"/{resource['id']}"
    dosage = [item.get("text") for item in resource.get("dosageInstruction", ())]
    said = "; ".join(text for text in dosage if text) or _what(resource)
    return f"{named}: {said}" if said else named


def _what(resource: Mapping[str, Any]) -> str:
    concept = resource.get("code") or resource.get("medicationCodeableConcept") or {}
    codings = concept.get("coding", ())
    codes = ", ".join(str(coding.get("code")) for coding in codings)
    text = str(concept.get("text") or "")
    return f"{text} [{codes}]" if codes else text


def _names(card: Mapping[str, Any]) -> Iterable[Text]:
    labels = [str(link["label"]) for link in card.get("links", ())]
    if labels:
        yield Text(f"Links: {', '.join(labels)}", style="dim")


def _source_lines(card: Mapping[str, Any]) -> Iterable[Text]:
    yield Text(f"Source: {card['source']['label']}", style="dim")
    reasons = [str(reason["display"]) for reason in card.get("overrideReasons", ())]
    if reasons:
        yield Text(f"Override reasons: {'; '.join(reasons)}", style="dim")
    for link in card.get("links", ()):
        yield Text(f"{link['label']}: {link['url']}", style="dim", overflow="fold")


def show_answer(out: Console, status: int, body: Mapping[str, Any], *, short: bool = False) -> None:
    """Print the cards of an answer, or that there are none, or the refusal."""
    if status != 200 or "cards" not in body:
        out.print(outcome_panel(status, body))
        return
    if not body["cards"]:
        out.print(Text("No cards: nothing to say at this moment.", style="dim"))
    for card in body["cards"]:
        out.print(card_panel(card, short=short))


def outcome_panel(status: int, body: Mapping[str, Any]) -> Panel:
    """A refusal in a box: HTTP status, and what the OperationOutcome says."""
    lines = []
    for issue in body.get("issue", ()):
        lines.append(
            f"{issue.get('severity')} / {issue.get('code')}: {issue.get('diagnostics', '')}"
        )
        lines += [f"at {place}" for place in issue.get("expression", ())]
    kind = body.get("resourceType", "no body")
    return Panel(
        Text("\n".join(lines) or "The answer says nothing further."),
        title=Text(f" HTTP {status}, {kind} ", style="bold"),
        title_align="left",
        border_style="white",
        padding=(0, 1),
    )


# -- traces -----------------------------------------------------------


def recommendation_tree(item: Mapping[str, Any]) -> Tree:
    """One recommendation of a decision document with the tree of conditions behind it."""
    head = f"[bold]{escape(str(item['summary']))}[/bold]\n[dim]rule {escape(str(item['rule_id']))}"
    head += f", {item['severity']}, {item['kind']}"
    head += "" if item.get("verified", True) else ", NOT VERIFIED against a source"
    tree = Tree(Text.from_markup(head + "[/dim]"))
    if item.get("sources"):
        tree.add(Text(f"sources: {', '.join(item['sources'])}", style="dim"))
    for reason in item.get("reasons", ()):
        tree.add(Text(f"missing: {reason['subject']}: {reason['kind']} ({reason['detail']})"))
    for test in item.get("tests", ()):
        tree.add(Text(_test(test)))
    for option in item.get("options", ()):
        tree.add(_option(option))
    if item.get("trace"):
        add_trace(tree, item["trace"])
    if item.get("until"):
        add_trace(tree.add(Text("resume when")), item["until"])
    for other in item.get("also", ()):
        tree.add(Text("at the same time")).add(recommendation_tree(other))
    return tree


def _test(test: Mapping[str, Any]) -> str:
    if test["status"] == "repeat":
        return f"test: {test['test']}, repeat by {test['due']}"
    unused = "; ".join(
        f"{reason['subject']}: {reason['kind']}, {reason['detail']}" for reason in test["came"]
    )
    if test["not_delivered"]:
        last = test["last"] or "not known"
        return f"test: {test['test']}, not known whether due, last {last}"
    last = test["last"] or ("no usable result" if unused else "none found")
    said = f"test: {test['test']}, {test['status']} since {test['due']}, last {last}"
    return f"{said} ({unused})" if unused else said


def _option(option: Mapping[str, Any]) -> Text:
    moved = "; ".join(f"{item['effect']}: {item['says']}" for item in option["modifiers"])
    return Text(f"option: {option['drug']} ({option['place']}), {moved or 'no modifier applies'}")


def undecided_tree(rule_id: str, trace: Mapping[str, Any]) -> Tree:
    """A rule that could not be answered."""
    tree = Tree(Text(f"rule {rule_id}: could not be decided", style="bold"))
    add_trace(tree, trace)
    return tree


def add_trace(parent: Tree, trace: Mapping[str, Any]) -> None:
    """Hang one condition with its verdict, sentence, values and parts below ``parent``."""
    word, style = _VERDICTS[str(trace["verdict"])]
    label = Text(f"{word}  ", style=f"bold {style}")
    label.append(str(trace["sentence"]), style="default")
    if trace.get("children"):
        # The sentence of a single condition repeats the rule's own words already.
        label.append(f"\n{trace['condition']}", style="dim")
    node = parent.add(label)
    for value in trace.get("used", ()):
        node.add(Text(f"value: {_value(value)}", style="cyan"))
    for child in trace.get("children", ()):
        add_trace(node, child)


def _value(value: Mapping[str, Any]) -> str:
    parts = [str(value.get("as_sent") or value.get("value") or "")]
    limit = value.get("upper_limit")
    if limit and value.get("value") and Decimal(limit) > 0:
        # Both are in the service's own unit, which need not be the one that was sent.
        parts.append(f"{round(Decimal(value['value']) / Decimal(limit), 2)} x upper limit")
    if value.get("date"):
        parts.append(str(value["date"]))
    if value.get("source"):
        parts.append(str(value["source"]))
    return ", ".join(part for part in parts if part)
