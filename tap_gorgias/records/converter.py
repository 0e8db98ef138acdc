"""Conversion of records to the types of their schema."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from tap_gorgias import timestamps
from tap_gorgias.errors import one_line
from tap_gorgias.records.decoding import TooDeepError, decode_text

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Mapping

    Convert: TypeAlias = Callable[[Any], Any]
    Conversions: TypeAlias = Mapping[str, "Conversion"]


MAX_WARNINGS = 100
"""Maximum number of warnings for each stream."""


class ConversionError(ValueError):
    """A value cannot be converted to the type of its property.

    The message completes the sentence "Some values are ...".
    """


class Conversion(NamedTuple):
    """How to convert the values of one property."""

    exact_type: type | None
    """Values of exactly this type need no conversion."""
    convert: Convert
    """Converts any other value except None."""


class RecordConverter:
    """Converts the records of one stream to its schema.

    Targets are stricter than the API: a date-time without fraction, a string in place
    of a number or an object encoded as a JSON string can break a load. The conversions
    are chosen once for all records. Each deviation is logged once, `MAX_WARNINGS` at
    most.
    """

    def __init__(
        self,
        schema: Mapping[str, Any],
        logger: logging.Logger,
        deselected: Collection[str] = (),
    ) -> None:
        self._logger = logger
        self._reported: set[str] = set()
        self._deselected = frozenset(deselected)
        selected = {
            name: property_schema
            for name, property_schema in schema["properties"].items()
            if name not in self._deselected
        }
        conversions = self._conversions_of(selected, "")
        self._columns = [
            (name, *conversion) for name, conversion in conversions.items()
        ]
        self._known = selected.keys() | self._deselected

    def convert(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record with exactly the selected properties, in the schema's order.

        Those that are absent, or cannot be converted, are None.
        """
        record: dict[str, Any] = {}
        for name, exact_type, convert in self._columns:
            value = row.get(name)
            if value is not None and type(value) is not exact_type:
                value = convert(value)
            record[name] = value
        if not self._known.issuperset(row):
            for name in sorted(row.keys() - self._known):
                self.report_unknown(name)
        return record

    def report_unknown(self, name: str) -> None:
        """Log once that a field is left out."""
        self._report(
            f"Gorgias sends a field `{name[:80]}` that this version of the tap does "
            "not know; it is left out.",
            is_harmless=True,
        )

    def _report(self, warning: str, *, is_harmless: bool = False) -> None:
        if warning not in self._reported and len(self._reported) < MAX_WARNINGS:
            self._reported.add(warning)
            extra = {"is_harmless": is_harmless}
            self._logger.warning("%s", one_line(warning), extra=extra)

    def _conversions_of(
        self, properties: Mapping[str, Any], parent: str
    ) -> Conversions:
        return {
            name: self._conversion(schema, parent + name)
            for name, schema in properties.items()
        }

    def _conversion(self, schema: Mapping[str, Any], path: str) -> Conversion:
        # Date-times in nested objects have no format in the schema, because
        # singer-check-tap crashes when such an object is null.
        if schema.get("format") == "date-time" or path.endswith("_datetime"):
            return Conversion(None, self._converted_or_null(path, _date_time))
        kind = next(kind for kind in _as_list(schema["type"]) if kind != "null")
        if kind == "object":
            nested = self._conversions_of(schema.get("properties", {}), f"{path}.")
            if nested:
                return Conversion(None, _object_with(nested))
            return Conversion(dict, _object)
        if kind == "array":
            return Conversion(None, self._array_of(schema["items"], path))
        exact_type, convert = _SCALARS[kind]
        return Conversion(exact_type, self._converted_or_null(path, convert))

    def _converted_or_null(self, path: str, convert: Convert) -> Convert:
        def converted_or_null(value: Any) -> Any:  # noqa: ANN401
            try:
                return convert(value)
            except ConversionError as error:
                self._report(f"Some values of `{path}` are {error}; they become null.")
                return None

        return converted_or_null

    def _array_of(self, schema: Mapping[str, Any], path: str) -> Convert:
        exact_type, convert_item = self._conversion(schema, f"{path}[]")

        def convert(value: Any) -> Any:  # noqa: ANN401
            items = value if isinstance(value, list) else [value]
            # Some warehouses, for example BigQuery, do not support nulls in arrays.
            converted = [
                item if type(item) is exact_type else convert_item(item)
                for item in items
                if item is not None
            ]
            return [item for item in converted if item is not None]

        return convert


def _object_with(conversions: Conversions) -> Convert:
    items = [(name, *conversion) for name, conversion in conversions.items()]

    def convert_object(value: Any) -> Any:  # noqa: ANN401
        record = dict(_object(value))
        for name, exact_type, convert in items:
            item = record.get(name)
            if item is not None and type(item) is not exact_type:
                record[name] = convert(item)
        return record

    return convert_object


def _as_list(kind: str | list[str]) -> list[str]:
    return [kind] if isinstance(kind, str) else kind


def _date_time(value: Any) -> str:  # noqa: ANN401
    try:
        return timestamps.normalized(value)
    except ValueError:
        reason = "not valid date-times"
        raise ConversionError(reason) from None


def _object(value: Any) -> dict[str, Any]:  # noqa: ANN401
    decoded = value
    if isinstance(value, str):
        try:
            decoded = decode_text(value)
        except TooDeepError:
            decoded = None
    return decoded if isinstance(decoded, dict) else {"value": value}


def _string(value: Any) -> str:  # noqa: ANN401
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _integer(value: Any) -> int:  # noqa: ANN401
    try:
        number = None if isinstance(value, bool) else int(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    fraction_lost = isinstance(value, float) and number != value
    if number is None or fraction_lost or number not in _INT64:
        reason = "not 64-bit integers"
        raise ConversionError(reason)
    return number


def _number(value: Any) -> float:  # noqa: ANN401
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        reason = "not finite numbers"
        raise ConversionError(reason)
    return number


def _boolean(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, bool):
        return value
    if str(value).lower() in _BOOLEANS:
        return _BOOLEANS[str(value).lower()]
    reason = "neither true nor false"
    raise ConversionError(reason)


_INT64 = range(-(2**63), 2**63)
_BOOLEANS = {"0": False, "1": True, "false": False, "true": True}
_SCALARS: dict[str, tuple[type | None, Convert]] = {
    "boolean": (bool, _boolean),
    "integer": (int, _integer),
    "number": (float, _number),
    "string": (str, _string),
}
"""The decoder leaves neither integers above 64 bits nor infinite numbers."""
