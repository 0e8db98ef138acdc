"""The demo checks each stream of a real account before it reads the account."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import demo
from tests.sandbox import Sandbox
from tests.support.runs import Files, catalog_of


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sandbox:
    """A shop, and the tap of this environment instead of the demo's."""
    monkeypatch.setattr(demo, "TAP", Path(sys.executable).with_name("tap-gorgias"))
    monkeypatch.setattr(demo, "FOLDER", tmp_path)
    return Sandbox()


def test_refused_streams_are_shown_and_deselected(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other streams are read."""
    sandbox.forbidden |= {"events", "rules"}
    catalog = catalog_of("account", "events", "rules", "tickets")
    with sandbox:
        Files(tmp_path).arguments(sandbox.config, catalog=catalog)
        refused = demo.run_connection_test(tmp_path)
    demo.select(catalog, refused, selected=False)

    assert refused == {"events", "rules"}
    assert "refused: 403, needs `events:read`." in capsys.readouterr().out
    roots = {one["tap_stream_id"]: one["metadata"] for one in catalog["streams"]}
    selected = {
        name
        for name, metadata in roots.items()
        for entry in metadata
        if not entry["breadcrumb"] and entry["metadata"]["selected"]
    }
    assert selected == {"account", "tickets"}


def test_a_wrong_key_ends_the_demo(sandbox: Sandbox, tmp_path: Path) -> None:
    """No stream can be read with it."""
    with sandbox:
        config = {**sandbox.config, "api_key": "wrong"}
        Files(tmp_path).arguments(config, ["account"])
        with pytest.raises(demo.DemoError, match="answered 401"):
            demo.run_connection_test(tmp_path)
