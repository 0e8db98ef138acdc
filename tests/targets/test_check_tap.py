"""The Singer project's own checker accepts the output of the tap."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox import Sandbox
from tests.support.runs import Files, Output, everything
from tests.targets import shop
from tests.targets.environments import executable

if TYPE_CHECKING:
    from pathlib import Path

CHECK = ("singer-tools", "singer-check-tap")


def check(output: bytes) -> subprocess.CompletedProcess[bytes]:
    """Pass messages to singer-check-tap."""
    return subprocess.run(  # noqa: S603
        [executable(*CHECK)], input=output, capture_output=True, check=False
    )


@pytest.mark.parametrize(
    "catalog", [None, everything()], ids=["default selection", "everything"]
)
def test_the_output_of_the_tap_is_accepted(
    tmp_path: Path, catalog: dict[str, Any] | None
) -> None:
    """Each record matches its schema, and each message its type."""
    filled, _ = shop.planted_shop()
    with Sandbox(filled) as sandbox:
        command = Files(tmp_path).arguments(sandbox.config, catalog=catalog)
        output = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603

    result = check(output)

    assert result.returncode == 0, result.stderr.decode()[-2_000:]
    table = re.findall(r"\| (\w+) +\| (\d+) ", result.stdout.decode())
    counted = {stream: int(records) for stream, records in table}
    written = Output.parse(output.decode())
    assert counted == {name: len(written.records(name)) for name in written.schemas}
    assert sum(counted.values()) > 1_000


def test_an_invalid_record_is_rejected() -> None:
    """The checker does validate records."""
    schema = b'{"type":"SCHEMA","stream":"a","schema":{"type":"object","properties":'
    schema += b'{"at":{"type":"string","format":"date-time"}}},"key_properties":["at"]}'
    record = b'{"type":"RECORD","stream":"a","record":{"at":"2026-11-02 08:00"}}'

    assert check(schema + b"\n" + record + b"\n").returncode != 0
