"""`scripts/edit_state.py` edits what Meltano or a target has stored."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.support.documents import ROOT

ENTRY = {
    "replication_key": "updated_datetime",
    "replication_key_value": "2026-10-31T23:54:41.739132Z",
    "walk": {"newest": None, "cursor": "abc", "floor": None},
}
STATE = {"bookmarks": {"customers": ENTRY, "tickets": ENTRY}}


def edit(document: dict[str, Any], *words: str) -> subprocess.CompletedProcess[str]:
    """Pass a document through the script."""
    command = [sys.executable, str(ROOT / "scripts" / "edit_state.py"), *words]
    document_text = json.dumps(document)
    return subprocess.run(  # noqa: S603
        command, input=document_text, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_wrapper_of_meltano_is_kept(*, wrapped: bool) -> None:
    """`meltano state get` prints the state in `singer_state`, and `set` takes it so."""
    document = {"singer_state": STATE} if wrapped else STATE

    done = json.loads(edit(document, "forget", "customers").stdout)

    rest = {"bookmarks": {"tickets": ENTRY}}
    assert done == ({"singer_state": rest} if wrapped else rest)


def test_a_rewound_stream_has_no_unfinished_walk() -> None:
    """A query stays, without which statistics would be read from their start."""
    state = {"bookmarks": {"tickets": ENTRY, "statistics_a": {**ENTRY, "query": "f"}}}

    done = json.loads(edit(state, "rewind", "2026-10-01", *state["bookmarks"]).stdout)

    rewound = {
        "replication_key": "updated_datetime",
        "replication_key_value": "2026-10-01",
    }
    assert done["bookmarks"] == {
        "tickets": rewound,
        "statistics_a": {**rewound, "query": "f"},
    }


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("forget",),
        ("rewind", "2026-10-01"),
        ("drop", "tags"),
        ("forget", "tags"),
        ("retry", "tickets", "17"),
    ],
)
def test_a_command_that_cannot_be_carried_out_is_refused(words: tuple[str]) -> None:
    """Nothing is written that could pass for a state."""
    done = edit(STATE, *words)

    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
