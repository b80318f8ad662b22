"""Which lines of an export may concern the algorithm, told by one pass over their text.

The pattern is made of the code and name tables. It finds too much and never too little: text is
compared without case, accents and what stands between words, a code of ICD-10 by its first three
characters. A patient of whom no line is found is set aside, and would have been told nothing.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable

import msgspec

from cds_service.facts.concern import Concern
from cds_service.fhir.terminology import ICD_10, NDC, CodeKey

try:
    import re2
except ImportError:  # the extra `cohort` brings it; without it everybody is decided for
    re2 = None

_WORD = re.compile(r"[^\W\d_]+|\d+")
_COMBINING = re.compile(
    "[" + "".join(filter(unicodedata.combining, map(chr, range(sys.maxunicode + 1)))) + "]+"
)
"""Accents, and the marks of Japanese syllables, once they stand apart from their letters."""
_BETWEEN = r"(?:[^a-z0-9]|\\[bfnrt])*"
_BEFORE = r"(?:^|[^a-z]|\\[bfnrt])"
_AFTER = r"(?:[^a-z]|$)"
_SHORT = 4
"""Letters of a name that is looked for as a whole word."""
_MOST_MEMORY = 256 * 1024 * 1024


def pattern_of(concern: Concern) -> str:
    """The expression that finds everything of `concern` in folded text; without look-around."""
    parts = {
        *(_code(key) for key in concern.codes),
        *filter(None, map(_name, concern.names)),
        *filter(None, (_name(text, _or_stage(concern.stages)) for text in concern.tumours)),
        *filter(None, (_phrase(text, bounded=True) for text in concern.symbols)),
        *concern.patterns,
    }
    return "|".join(f"(?:{part})" for part in sorted(parts))


def _code(key: CodeKey) -> str:
    system, code = key
    code = code.rpartition(":")[2] if system in ICD_10 else code
    if system in ICD_10:
        return rf'"\s*{re.escape(code[:3].lower())}'
    if system == NDC:
        return '"\\s*' + "-?".join(f"0*{part.lstrip('0') or '0'}" for part in code.split("-"))
    return rf'"\s*{re.escape(code.lower())}\s*"'


def _or_stage(stages: Iterable[str]) -> str:
    """What may stand between the words of a tumour: signs, and a stage with its letters."""
    words = {word.lower() for word in stages}
    letters = "".join(sorted({letter for word in words if len(word) < _SHORT for letter in word}))
    long = "|".join(sorted(word for word in words if len(word) >= _SHORT))
    return rf"(?:[^a-z]|\\[bfnrt]|[{letters}]|{long})*"


def _name(text: str, between: str = _BETWEEN) -> str:
    words = _WORD.findall(folded(text))
    short = len(words) == 1 and len(words[0]) <= _SHORT and words[0].isascii()
    return _phrase(text, between, bounded=short)


def _phrase(text: str, between: str = _BETWEEN, *, bounded: bool) -> str:
    phrase = between.join(_WORD.findall(folded(text)))
    return f"{_BEFORE}{phrase}{_AFTER}" if bounded and phrase else phrase


def folded(text: str) -> str:
    """A text in small letters, without accents and in the plainest form of every sign."""
    return _COMBINING.sub("", unicodedata.normalize("NFKD", text.casefold()))


def concerns(pattern: str) -> Callable[[bytes], bool]:
    """What tells of one line whether the algorithm may be concerned by it.

    Without the library that can search for so many names at once every line may be.
    """
    if re2 is None:
        return lambda _: True
    options = re2.Options()
    options.case_sensitive = False
    options.max_mem = _MOST_MEMORY
    options.encoding = re2.Options.Encoding.LATIN1
    search = re2.compile(pattern.encode(), options).search

    def found(line: bytes) -> bool:
        if search(line) is not None:
            return True
        if line.isascii() and b"\\u" not in line and b"\\/" not in line:
            return False
        try:
            plain = msgspec.json.encode(msgspec.json.decode(line)).decode("utf-8", "surrogatepass")
        except (ValueError, RecursionError):
            # Whoever decides is to say what cannot be read.
            return True
        return search(folded(plain).encode("utf-8", "surrogatepass")) is not None

    return found
