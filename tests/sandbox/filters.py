"""Query parameters that choose rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.sandbox.answers import reject
from tests.sandbox.index import dig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.sandbox.collection import Row
    from tests.sandbox.shop import Shop

Values = list[Any]


def _nothing(_: Shop) -> None:
    """Leave a parameter out that is not given."""


@dataclass(frozen=True)
class Filter:
    """What a parameter's values mean."""

    parse: Callable[[str], Any]
    keep: Callable[[Row, Values], bool]
    ids: Callable[[Shop, Values], Iterable[int]] | None = None
    most: int = 1  # how often the parameter may be given
    needs: str | None = None  # another parameter that must be given too
    required: bool = False
    default: Callable[[Shop], str | None] = _nothing

    def read(self, name: str, texts: Sequence[str]) -> Values:
        """Parse the values of the parameter.

        Raises:
            Refusal: There are too many, or one is not valid.
        """
        if len(texts) > self.most:
            reject(name, f"Longer than maximum length {self.most}.")
        try:
            return [self.parse(text) for text in texts]
        except ValueError as error:
            reject(name, str(error) or "Not a valid value.")


def equals(
    field: str,
    parse: Callable[[str], Any] = int,
    ids: Callable[[Shop, Values], Iterable[int]] | None = None,
    *,
    needs: str | None = None,
    required: bool = False,
) -> Filter:
    """Keep rows whose field has the given value."""
    return Filter(
        parse,
        lambda row, values: bool(dig(row, field) in values),
        ids=ids,
        needs=needs,
        required=required,
    )


def one_of(field: str, parse: Callable[[str], Any] = int, *, most: int = 100) -> Filter:
    """Keep rows whose field has one of the given values."""
    return Filter(parse, lambda row, values: bool(dig(row, field) in values), most=most)


def customer_is() -> Filter:
    """Keep tickets of a customer."""
    return Filter(
        int,
        lambda row, values: bool(row["customer"]) and row["customer"]["id"] in values,
    )


def set_unless_false(field: str) -> Filter:
    """Leave out rows that have a date-time, when told "false"."""
    return Filter(_flag, lambda row, values: values[0] or row[field] is None)


def set_as(field: str, default: Callable[[Shop], str | None] = _nothing) -> Filter:
    """Keep rows that have a date-time, or those that have none."""
    return Filter(
        _flag,
        lambda row, values: (row[field] is not None) == values[0],
        default=default,
    )


def choice(*options: str) -> Callable[[str], str]:
    """Accept only some values."""

    def parse(text: str) -> str:
        if text not in options:
            problem = f"Must be one of: {', '.join(options)}."
            raise ValueError(problem)
        return text

    return parse


def _flag(text: str) -> bool:
    """Read a boolean."""
    return choice("true", "false")(text.lower()) == "true"
