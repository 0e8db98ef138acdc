"""Query parameters that filter rows."""

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


def _no_default(_: Shop) -> None:
    """Provide no default value."""


@dataclass(frozen=True)
class Filter:
    """The meaning of a query parameter's values."""

    parse: Callable[[str], Any]
    keep: Callable[[Row, Values], bool]
    ids: Callable[[Shop, Values], Iterable[int]] | None = None
    max_values: int = 1  # how often the parameter may be repeated
    requires: str | None = None  # another parameter that is then required
    required: bool = False
    default: Callable[[Shop], str | None] = _no_default

    def read(self, name: str, texts: Sequence[str]) -> Values:
        """Parse the values of the parameter."""
        if len(texts) > self.max_values:
            reject(name, f"Longer than maximum length {self.max_values}.")
        try:
            return [self.parse(text) for text in texts]
        except ValueError as error:
            reject(name, str(error) or "Not a valid value.")


def equals(
    field: str,
    parse: Callable[[str], Any] = int,
    ids: Callable[[Shop, Values], Iterable[int]] | None = None,
    *,
    requires: str | None = None,
    required: bool = False,
) -> Filter:
    """Match rows whose field has the given value."""
    return Filter(
        parse,
        lambda row, values: bool(dig(row, field) in values),
        ids=ids,
        requires=requires,
        required=required,
    )


def one_of(
    field: str, parse: Callable[[str], Any] = int, *, max_values: int = 100
) -> Filter:
    """Match rows whose field has one of the given values."""
    return Filter(
        parse,
        lambda row, values: bool(dig(row, field) in values),
        max_values=max_values,
    )


def customer_is() -> Filter:
    """Match the tickets of a customer."""
    return Filter(
        int,
        lambda row, values: bool(row["customer"]) and row["customer"]["id"] in values,
    )


def set_unless_false(field: str) -> Filter:
    """Exclude rows whose date-time is set if the value is "false"."""
    return Filter(_flag, lambda row, values: values[0] or row[field] is None)


def set_as(field: str, default: Callable[[Shop], str | None] = _no_default) -> Filter:
    """Match rows by whether a date-time is set."""
    return Filter(
        _flag,
        lambda row, values: (row[field] is not None) == values[0],
        default=default,
    )


def choice(*options: str) -> Callable[[str], str]:
    """Return a parser that accepts only these values."""

    def parse(text: str) -> str:
        if text not in options:
            problem = f"Must be one of: {', '.join(options)}."
            raise ValueError(problem)
        return text

    return parse


def _flag(text: str) -> bool:
    """Parse a boolean."""
    return choice("true", "false")(text.lower()) == "true"
