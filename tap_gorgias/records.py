"""Makes the values of a record what its schema promises."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_gorgias import timestamps
from tap_gorgias.decoding import decode
from tap_gorgias.errors import one_line

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    Convert: TypeAlias = Callable[[Any], Any]
    Converters: TypeAlias = Mapping[str, Convert]


MAX_REPORTS = 100
"""So many oddities of a stream are reported; whoever needs more has other troubles."""


class Unusable(ValueError):  # noqa: N818  (a verdict on a value, reported as a warning)
    """A value that cannot be made what the schema promises."""


class RecordConverter:
    """Converts the records of one stream, and reports each oddity once.

    Targets are strict where the API is not: a date-time without fraction, a text where
    a number belongs or an object written as JSON text would break a load.
    """

    def __init__(self, schema: Mapping[str, Any], logger: logging.Logger) -> None:
        """Prepare a conversion for each property.

        Args:
            schema: JSON schema of the stream.
            logger: Where oddities are reported.
        """
        self._logger = logger
        self._reported: set[str] = set()
        self._convert = self._converters(schema["properties"], "")

    def convert(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Convert one record.

        Args:
            row: As Gorgias sent it.

        Returns:
            A new record with declared properties only. A value that cannot be converted
            is null.
        """
        record: dict[str, Any] = {}
        for name, value in row.items():
            convert = self._convert.get(name)
            if convert is None:
                self._report(
                    f"Gorgias sends a field `{name[:80]}` that this version of the tap "
                    "does not know; it is left out."
                )
            elif value is None:
                record[name] = None
            else:
                record[name] = convert(value)
        return record

    def _report(self, oddity: str) -> None:
        if oddity not in self._reported and len(self._reported) < MAX_REPORTS:
            self._reported.add(oddity)
            self._logger.warning("%s", one_line(oddity))

    def _converters(self, properties: Mapping[str, Any], parent: str) -> Converters:
        return {
            name: self._guarded(parent + name, self._converter(schema, parent + name))
            for name, schema in properties.items()
        }

    def _guarded(self, path: str, convert: Convert) -> Convert:
        def guarded(value: Any) -> Any:  # noqa: ANN401
            try:
                return convert(value)
            except Unusable as reason:
                self._report(f"Some values of `{path}` are {reason}; they become null.")
                return None

        return guarded

    def _converter(self, schema: Mapping[str, Any], path: str) -> Convert:
        # The format makes a column, so it stands on columns only: one inside an object
        # that is null crashes singer-check-tap.
        if schema.get("format") == "date-time" or path.endswith("_datetime"):
            return _date_time
        kind = next(kind for kind in _as_list(schema["type"]) if kind != "null")
        if kind == "object":
            return self._object_converter(schema, path)
        if kind == "array":
            return self._array_converter(schema, path)
        return _SCALARS[kind]

    def _object_converter(self, schema: Mapping[str, Any], path: str) -> Convert:
        nested = self._converters(schema.get("properties", {}), f"{path}.")

        def convert(value: Any) -> Any:  # noqa: ANN401
            value = _object(value)
            if nested.keys().isdisjoint(value):
                return value
            return {
                name: item if item is None or name not in nested else nested[name](item)
                for name, item in value.items()
            }

        return convert

    def _array_converter(self, schema: Mapping[str, Any], path: str) -> Convert:
        item_path = f"{path}[]"
        item_converter = self._guarded(
            item_path, self._converter(schema["items"], item_path)
        )

        def convert(value: Any) -> Any:  # noqa: ANN401
            items = value if isinstance(value, list) else [value]
            # Some warehouses, BigQuery among them, have no nulls in arrays.
            converted = (item_converter(item) for item in items if item is not None)
            return [item for item in converted if item is not None]

        return convert


def _as_list(kind: str | list[str]) -> list[str]:
    return [kind] if isinstance(kind, str) else kind


def _date_time(value: Any) -> str:  # noqa: ANN401
    try:
        return timestamps.render(timestamps.parse(value))
    except ValueError:
        reason = "no date-times"
        raise Unusable(reason) from None


def _object(value: Any) -> dict[str, Any]:  # noqa: ANN401
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        try:
            decoded = decode(value.encode())
        except ValueError:
            decoded = None
        if isinstance(decoded, dict):
            return decoded
    return {"value": value}


def _string(value: Any) -> str:  # noqa: ANN401
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _integer(value: Any) -> int:  # noqa: ANN401
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    fraction_lost = isinstance(value, float) and number != value
    if number is None or fraction_lost or abs(number) > _LARGEST_INTEGER:
        reason = "no whole numbers of 64 bits"
        raise Unusable(reason)
    return number


def _number(value: Any) -> float:  # noqa: ANN401
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        reason = "no numbers"
        raise Unusable(reason)
    return number


def _boolean(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, bool):
        return value
    if str(value).lower() in _BOOLEANS:
        return _BOOLEANS[str(value).lower()]
    reason = "neither true nor false"
    raise Unusable(reason)


_LARGEST_INTEGER = 2**63 - 1
_BOOLEANS = {"0": False, "1": True, "false": False, "true": True}
_SCALARS: dict[str, Convert] = {
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "string": _string,
}
