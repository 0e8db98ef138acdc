"""Makes the values of a record what its schema promises."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from tap_gorgias import timestamps
from tap_gorgias.errors import one_line
from tap_gorgias.records.decoding import decode

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Mapping

    Convert: TypeAlias = Callable[[Any], Any]
    Plans: TypeAlias = Mapping[str, "Plan"]


MAX_REPORTS = 100
"""So many oddities of a stream are reported; whoever needs more has other troubles."""


class Unusable(ValueError):  # noqa: N818  (a verdict on a value, reported as a warning)
    """A value that cannot be made what the schema promises."""


class Plan(NamedTuple):
    """What to do with the values of one property."""

    passes: type | None
    """Values of this very type are as they should be; most are."""
    convert: Convert
    """Makes any other value fit, but null."""


class RecordConverter:
    """Converts the records of one stream, and reports each oddity once.

    Targets are strict where the API is not: a date-time without fraction, a text where
    a number belongs or an object written as JSON text would break a load.
    """

    def __init__(
        self,
        schema: Mapping[str, Any],
        logger: logging.Logger,
        left_out: Collection[str] = (),
    ) -> None:
        """Plan the conversion of each property, once for all records.

        Args:
            schema: JSON schema of the stream.
            logger: Where oddities are reported.
            left_out: Properties that nobody wants.
        """
        self._logger = logger
        self._reported: set[str] = set()
        self._left_out = frozenset(left_out)
        properties = schema["properties"].items()
        wanted = {name: own for name, own in properties if name not in self._left_out}
        self._plans = self._plans_for(wanted, "")

    def convert(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Convert one record.

        Args:
            row: As Gorgias sent it.

        Returns:
            A new record with declared and wanted properties only. A value that cannot
            be converted is null.
        """
        record: dict[str, Any] = {}
        for name, value in row.items():
            plan = self._plans.get(name)
            if plan is not None:
                record[name] = (
                    value
                    if value is None or type(value) is plan.passes
                    else plan.convert(value)
                )
            elif name not in self._left_out:
                self._report(
                    f"Gorgias sends a field `{name[:80]}` that this version of the tap "
                    "does not know; it is left out."
                )
        return record

    def _report(self, oddity: str) -> None:
        if oddity not in self._reported and len(self._reported) < MAX_REPORTS:
            self._reported.add(oddity)
            self._logger.warning("%s", one_line(oddity))

    def _plans_for(self, properties: Mapping[str, Any], parent: str) -> Plans:
        return {
            name: self._plan(schema, parent + name)
            for name, schema in properties.items()
        }

    def _plan(self, schema: Mapping[str, Any], path: str) -> Plan:
        # The format makes a column, so it stands on columns only: one inside an object
        # that is null crashes singer-check-tap.
        if schema.get("format") == "date-time" or path.endswith("_datetime"):
            return Plan(None, self._guarded(path, _date_time))
        kind = next(kind for kind in _as_list(schema["type"]) if kind != "null")
        if kind == "object":
            nested = self._plans_for(schema.get("properties", {}), f"{path}.")
            return Plan(None, _object_with(nested)) if nested else Plan(dict, _object)
        if kind == "array":
            return Plan(None, self._array_converter(schema["items"], path))
        passes, convert = _SCALARS[kind]
        return Plan(passes, self._guarded(path, convert))

    def _guarded(self, path: str, convert: Convert) -> Convert:
        def guarded(value: Any) -> Any:  # noqa: ANN401
            try:
                return convert(value)
            except Unusable as reason:
                self._report(f"Some values of `{path}` are {reason}; they become null.")
                return None

        return guarded

    def _array_converter(self, schema: Mapping[str, Any], path: str) -> Convert:
        passes, convert_item = self._plan(schema, f"{path}[]")

        def convert(value: Any) -> Any:  # noqa: ANN401
            items = value if isinstance(value, list) else [value]
            # Some warehouses, BigQuery among them, have no nulls in arrays.
            converted = [
                item if type(item) is passes else convert_item(item)
                for item in items
                if item is not None
            ]
            return [item for item in converted if item is not None]

        return convert


def _object_with(plans: Plans) -> Convert:
    def convert(value: Any) -> Any:  # noqa: ANN401
        record = dict(_object(value))
        for name in plans.keys() & record.keys():
            item, plan = record[name], plans[name]
            if item is not None and type(item) is not plan.passes:
                record[name] = plan.convert(item)
        return record

    return convert


def _as_list(kind: str | list[str]) -> list[str]:
    return [kind] if isinstance(kind, str) else kind


def _date_time(value: Any) -> str:  # noqa: ANN401
    try:
        return timestamps.normalized(value)
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
_SCALARS: dict[str, tuple[type | None, Convert]] = {
    "boolean": (bool, _boolean),
    "integer": (None, _integer),
    "number": (None, _number),
    "string": (str, _string),
}
