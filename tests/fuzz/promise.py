"""What holds for every run, whatever it was given."""

from __future__ import annotations

import functools
import json
import logging
import math
import sys
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

import jsonschema

from tap_gorgias.compat import override
from tap_gorgias.errors import MAX_MESSAGE_CHARACTERS, SAFE_TO_SHOW, GorgiasError
from tap_gorgias.tap import TapGorgias
from tests.support.fake_clock import FakeClock
from tests.support.runs import Output, PartialRun, captured, catalog_of, run, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CUSTOMERS_WORDS = "kept between us"
"""Planted in texts; no error may hold it."""

_LARGEST = 2**63
_DEEPEST = 220


class Outcome(NamedTuple):
    """How a run ended, its promise kept."""

    output: Output
    errors: list[str]
    """The lines that tell of the failure; none if the run succeeded."""


def kept(
    config: Mapping[str, Any],
    *streams: str,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
) -> Outcome:
    """Run the tap, and check that it fails in words or writes what targets load."""
    errors: list[str] = []
    try:
        output = run(
            config, state=state, catalog=catalog or json.loads(small_catalog(*streams))
        )
    except PartialRun as failure:
        cause, output = failure.__cause__, failure.output
        assert isinstance(cause, (GorgiasError, *SAFE_TO_SHOW)), repr(cause)
        errors = list(cause.lines if isinstance(cause, GorgiasError) else [str(cause)])
        check_words(errors)
    check_output(output)
    return Outcome(output, errors)


def command(*arguments: str, own_schemas: bool = True) -> Outcome:
    """Run the tap's command in this process, and check the same.

    Args:
        arguments: Of the command line.
        own_schemas: Whether records have to fit the schemas written. A catalog may
            hold others, which are then the user's.
    """

    class Tap(TapGorgias):
        """The tap on the fake clock."""

    Tap.clock = FakeClock()
    errors = _Errors()
    Tap.logger.addHandler(errors)
    try:
        with captured() as stdout, mock.patch.object(sys, "argv", ["tap-gorgias"]):
            try:
                Tap.cli.main(list(arguments), standalone_mode=True)
            except SystemExit as end:
                code = end.code
            output = Output.parse(text_of(stdout))
    finally:
        Tap.logger.removeHandler(errors)
    assert bool(errors.lines) == (code != 0), (code, errors.lines)
    check_words(errors.lines)
    check_output(output, own_schemas=own_schemas)
    return Outcome(output, errors.lines)


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        assert record.exc_info is None
        self.lines.append(record.getMessage())


@functools.cache
def small_catalog(*streams: str) -> str:
    """Make a catalog, as JSON, that holds no more than these streams."""
    catalog = catalog_of(*streams)
    catalog["streams"] = [
        entry for entry in catalog["streams"] if entry["tap_stream_id"] in streams
    ]
    return json.dumps(catalog)


def check_words(lines: Sequence[str]) -> None:
    """Check that errors are clear lines, without customers' words."""
    for line in lines:
        assert line.isprintable(), repr(line)
        assert 0 < len(line) <= MAX_MESSAGE_CHARACTERS
        assert CUSTOMERS_WORDS not in line
        assert not line.startswith("Unexpected"), line


def check_output(output: Output, *, own_schemas: bool = True) -> None:
    """Check that a strict target can load each message."""
    schemas: dict[str, str] = {}
    for message in output.messages:
        check_value(message)
        if message["type"] == "SCHEMA":
            assert set(message["key_properties"]) <= set(
                message["schema"]["properties"]
            )
            schemas[message["stream"]] = json.dumps(message["schema"])
        elif message["type"] == "RECORD":
            stream, record = message["stream"], message["record"]
            if own_schemas:
                _check_record(schemas[stream], json.dumps(record))
            keys = output.schemas[stream]["key_properties"]
            assert None not in [record[key] for key in keys]


@functools.lru_cache(maxsize=10_000)
def _check_record(schema: str, record: str) -> None:
    _validator(schema).validate(json.loads(record))


@functools.cache
def _validator(schema: str) -> jsonschema.Draft7Validator:
    jsonschema.Draft7Validator.check_schema(json.loads(schema))
    formats = jsonschema.FormatChecker()
    return jsonschema.Draft7Validator(json.loads(schema), format_checker=formats)


def check_value(value: Any, depth: int = 0) -> None:  # noqa: ANN401
    """Check that a value fits what databases and their parsers hold."""
    assert depth <= _DEEPEST
    if isinstance(value, dict):
        for name, item in value.items():
            check_value(name)
            check_value(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            check_value(item, depth + 1)
    elif isinstance(value, str):
        assert "\0" not in value
        value.encode()
    elif isinstance(value, float):
        assert math.isfinite(value)
    elif isinstance(value, int):
        assert -_LARGEST <= value < _LARGEST
