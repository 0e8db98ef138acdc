"""Runs of the tap, and checks that hold for any input."""

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
from tap_gorgias.errors import (
    MAX_MESSAGE_CHARACTERS,
    SAFE_TO_SHOW,
    GorgiasError,
    IncompleteError,
    messages_of,
)
from tap_gorgias.tap import TapGorgias
from tests.support.fake_clock import FakeClock
from tests.support.runs import (
    Output,
    PartialRun,
    captured,
    run,
    small_catalog,
    text_of,
)

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Mapping, Sequence

CUSTOMER_TEXT = "kept between us"
"""A text in records that no error may contain."""

_INTEGER_LIMIT = 2**63
_MAX_DEPTH = 220


class Outcome(NamedTuple):
    """The result of a run that passed the checks."""

    output: Output
    errors: list[str]
    """The lines of the error, or the reason why rows are missing; empty if none are."""


def run_and_check(
    config: Mapping[str, Any],
    *streams: str,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
) -> Outcome:
    """Run the tap, and check that its output is valid and that any error is clear."""
    errors: list[str] = []
    log = _Log(logging.WARNING)
    try:
        with log.attached():
            output = run(
                config, state=state, catalog=catalog or small_catalog(*streams)
            )
    except PartialRun as failure:
        cause, output = failure.__cause__, failure.output
        assert isinstance(cause, (GorgiasError, *SAFE_TO_SHOW)), repr(cause)
        errors = [*messages_of(cause)]
        if isinstance(cause, IncompleteError):  # its line refers to warnings
            errors = [line for line in log.lines if ": /api/" in line][:1]
            assert errors
        check_errors(errors)
    check_output(output)
    return Outcome(output, errors)


def run_command_and_check(*arguments: str, validate_records: bool = True) -> Outcome:
    """Run the command line in this process, with the same checks.

    Records may not match their schema if the catalog contains another one.
    """

    class Tap(TapGorgias):
        """The tap on the fake clock."""

    Tap.clock = FakeClock()
    log = _Log(logging.ERROR)
    with (
        captured() as stdout,
        mock.patch.object(sys, "argv", ["tap-gorgias"]),
        # The SDK adds a handler in each run.
        mock.patch.object(logging.root, "handlers", logging.root.handlers[:]),
        log.attached(),
    ):
        try:
            Tap.cli.main(list(arguments), standalone_mode=True)
        except SystemExit as end:
            code = end.code
        output = Output.parse(text_of(stdout))
    assert bool(log.lines) == (code != 0), (code, log.lines)
    check_errors(log.lines)
    check_output(output, validate_records=validate_records)
    return Outcome(output, log.lines)


class _Log(logging.Handler):
    """Collects the lines of a level."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.lines: list[str] = []

    def attached(self) -> contextlib.AbstractContextManager[object]:
        """Collect the lines of the tap for some time."""
        logger = TapGorgias.logger
        return mock.patch.object(logger, "handlers", [*logger.handlers, self])

    @override
    def emit(self, record: logging.LogRecord) -> None:
        assert record.exc_info is None
        self.lines.append(record.getMessage())


def check_errors(lines: Sequence[str]) -> None:
    """Check that errors are printable lines without data of customers."""
    for line in lines:
        assert line.isprintable(), repr(line)
        assert 0 < len(line) <= MAX_MESSAGE_CHARACTERS
        assert CUSTOMER_TEXT not in line
        assert not line.startswith("Unexpected"), line


def check_output(output: Output, *, validate_records: bool = True) -> None:
    """Check that a strict target can load every message."""
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
            assert list(record) == list(output.schemas[stream]["schema"]["properties"])
            if validate_records:
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
    """Check that databases and JSON parsers accept a value."""
    assert depth <= _MAX_DEPTH
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
        assert -_INTEGER_LIMIT <= value < _INTEGER_LIMIT
