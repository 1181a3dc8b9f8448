"""Reading what people write to find events.

    sev:>=high (src:10.0.0.0/8 OR dst:10.0.0.0/8) -info:"mass scanner",tor*

Words stand for text. `AND` may be left out; `OR`, `NOT`, `&&`, `||`, `!`, `-` and parentheses are as everywhere; a
comma separates alternatives. `docs/search.md` tells all of it.
"""

import re
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError

from stores.search import terms
from stores.search.expression import Addresses, And, Expression, Not, Or
from trailhound.errors import SearchError

MAX_LENGTH = 2_000
MAX_TERMS = 100
# Elasticsearch takes no more than 30 conditions inside each other, and each parenthesis may bring three.
MAX_DEPTH = 8
_GRAMMAR = r"""
?start: any
?any: all (_OR all)*
?all: one (_AND? one)*
?one: NOT+ atom -> none
    | atom
?atom: "(" any ")"
    | TERM -> term

_OR.3: /\|\||OR(?=[\s(]|$)/
_AND.3: /&&|AND(?=[\s(]|$)/
NOT.3: /NOT(?=[\s(]|$)|[!-](?=[^\s)])/
TERM.1: /(?!(?:AND|OR|NOT)(?=[\s()]|$))(?:"(?:[^"\\]|\\.)*"|[^\s()"])+/
%ignore /\s+/
"""
_FIELD = re.compile(r"([A-Za-z_]{1,32}):")
_VALUE = re.compile(r'((?:"(?:[^"\\]|\\.)*"|[^",])*)(,|$)')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


def parse(text: str) -> Expression | None:
    """Read a search; None for an empty one. Raises `SearchError`, which names the place and what was expected."""
    if not text.strip():
        return None
    if len(text) > MAX_LENGTH:
        raise SearchError(f"a search has at most {MAX_LENGTH:,} characters")
    _bound(text)
    try:
        found: Expression = _Meaning().transform(_parser().parse(text))
    except VisitError as error:
        if isinstance(error.orig_exc, SearchError):
            raise error.orig_exc from None
        raise
    except UnexpectedInput as error:
        raise _misread(text, error) from None
    return found


def _bound(text: str) -> None:
    """Refuse what is nested too deep, outside of quotes, before anybody goes down into it."""
    depth = 0
    for letter in _QUOTED.sub("", text):
        depth += (letter == "(") - (letter == ")")
        if depth > MAX_DEPTH:
            raise SearchError(f"a search has at most {MAX_DEPTH} parentheses inside each other")


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer="contextual", propagate_positions=False, maybe_placeholders=False)


@v_args(inline=True)
class _Meaning(Transformer[Token, Expression]):
    """From the tree of words to the expression."""

    def __init__(self) -> None:
        super().__init__()
        self._terms = 0

    def term(self, token: Token) -> Expression:
        self._terms += 1
        place = (token.start_pos or 0) + 1
        if self._terms > MAX_TERMS:
            raise SearchError(f"at character {place}: a search has at most {MAX_TERMS} terms")
        try:
            return _term(str(token))
        except ValueError as error:
            raise SearchError(f"at character {place}: {error}") from error

    def none(self, *given: Token | Expression) -> Expression:
        *signs, part = given
        assert not isinstance(part, Token)  # noqa: S101 - tells the type; the grammar has it last
        if len(signs) % 2 == 0:
            return part
        return part.part if isinstance(part, Not) else Not(part)

    def all(self, *parts: Expression) -> Expression:
        return And(tuple(one for part in parts for one in (part.parts if isinstance(part, And) else (part,))))

    def any(self, *parts: Expression) -> Expression:
        flat = [one for part in parts for one in (part.parts if isinstance(part, Or) else (part,))]
        joined = _joined(flat)
        return joined[0] if len(joined) == 1 else Or(tuple(joined))


def _joined(parts: list[Expression]) -> list[Expression]:
    """Ask once for addresses at the same end: an index answers that."""
    joined: list[Expression] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Addresses) and isinstance(last, Addresses) and part.end is last.end:
            joined[-1] = Addresses(part.end, (*last.spans, *part.spans))
        else:
            joined.append(part)
    return joined


def _term(text: str) -> Expression:
    field = _FIELD.match(text)
    if field is None:
        quoted = _QUOTED.fullmatch(text)
        return terms.plain(_unquoted(text), quoted=quoted is not None)
    values: list[str] = []
    rest = text[field.end() :]
    while rest or not values:
        found = _VALUE.match(rest)
        if found is None or not found[1]:
            raise ValueError(f"a value was expected after {field[1]}:, or between commas")
        values.append(_unquoted(found[1]))
        if found[2] and found.end() == len(rest):
            raise ValueError("a value was expected after the comma")
        rest = rest[found.end() :]
    return terms.named(field[1], values)


def _unquoted(text: str) -> str:
    return _QUOTED.sub(lambda found: _ESCAPED.sub(r"\1", found[1]), text)


def _misread(text: str, error: UnexpectedInput) -> SearchError:
    place: Any = getattr(error, "pos_in_stream", None)
    at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    if at_end or not isinstance(place, int) or not 0 <= place < len(text):
        if text.count("(") > text.count(")"):
            return SearchError("at the end: a parenthesis is not closed")
        return SearchError("at the end: a term was expected, such as sev:high or a word")
    if text[place] == '"':
        return SearchError(f"at character {place + 1}: a quotation mark is not closed")
    if text[place] == ")":
        return SearchError(f"at character {place + 1}: a parenthesis is closed that was not opened, or holds nothing")
    return SearchError(f"at character {place + 1}: a term was expected, such as sev:high or a word")
