"""Words that a reader may use in place of those of the tables: `search_words.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources.abc import Traversable

from pydantic import Field

from cds_service.knowledge.yaml_files import Frozen, read_mapping, validate

FILE = "search_words.yaml"


class SearchWords(Frozen):
    """`same` are words of one meaning, `wider` what one word also asks for."""

    same: tuple[tuple[str, ...], ...] = ()
    wider: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)

    def asked(self, query: str) -> Iterator[tuple[str, ...]]:
        """What a query asks for: each part, a word or a known phrase, with what stands for it."""
        rest = query
        for phrase in sorted(self._known(), key=len, reverse=True):
            if " " not in phrase:
                continue
            rest, times = _one_or_many(phrase).subn(" ", rest)
            if times:
                yield self._with_others(phrase)
        for word in dict.fromkeys(re.findall(r"[^\W_]+(?:[.'’-][^\W_]+)*", rest)):
            yield self._with_others(word)

    def _known(self) -> set[str]:
        return {*(word for group in self.same for word in group), *self.wider}

    def _with_others(self, asked: str) -> tuple[str, ...]:
        found = {asked: None}
        for group in self.same:
            if any(_one_or_many(word).fullmatch(asked) for word in group):
                found |= dict.fromkeys(group)
        for word in list(found):
            for wider, others in self.wider.items():
                if _one_or_many(wider).fullmatch(word):
                    found |= dict.fromkeys(others)
        return tuple({word.casefold(): word for word in reversed(found)}.values())[::-1]


@cache
def _one_or_many(phrase: str) -> re.Pattern[str]:
    """A word or phrase as a whole, in any case, of one or of many: "liver injuries"."""
    last = phrase[-1:].casefold()
    ending = r"(?:y|ies)" if last == "y" else re.escape(phrase[-1:]) + r"(?:s|es)?"
    return re.compile(rf"(?<!\w){re.escape(phrase[:-1])}{ending}(?!\w)", re.IGNORECASE)


def load_search_words(folder: Traversable) -> SearchWords:
    """The words of a release; none where it has no such file. Raises KnowledgeError."""
    file = folder / FILE
    if not file.is_file():
        return SearchWords()
    return validate(SearchWords, read_mapping(file), str(file), "")
