"""The demo checks each stream of a real account before it reads the account."""

from __future__ import annotations

import ast
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import demo, demo_models
from tests.sandbox import Sandbox
from tests.support import commands
from tests.support.runs import Files, catalog_of
from tests.support.tables import display_width, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A new folder for the demo, and the tap of this environment."""
    monkeypatch.setattr(demo, "TAP", Path(sys.executable).with_name("tap-gorgias"))
    monkeypatch.setattr(demo, "FOLDER", tmp_path)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A shop."""
    with Sandbox() as sandbox:
        yield sandbox


def test_refused_streams_are_shown_and_deselected(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other streams are read."""
    sandbox.forbidden |= {"events", "rules"}
    catalog = catalog_of("account", "events", "rules", "tickets")
    Files(tmp_path).arguments(sandbox.config, catalog=catalog)
    refused = demo.run_connection_test(tmp_path)
    demo.select(catalog, refused, selected=False)

    assert refused == {"events", "rules"}
    assert "`events:read`" in capsys.readouterr().out
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
    config = {**sandbox.config, "api_key": "wrong"}
    Files(tmp_path).arguments(config, ["account"])
    with pytest.raises(commands.DemoError, match="answered 401"):
        demo.run_connection_test(tmp_path)


def test_rows_with_emoji_and_wide_characters_are_aligned() -> None:
    """Each last cell begins in the same column of a terminal."""
    texts = [
        "plain",
        "sad 😢",
        "注文について",
        "e\N{COMBINING ACUTE ACCENT}",
        "❤️",
        "👩🏽‍💻",
        "a\nb",
    ]
    _, _, *lines = lines_of(("text", "end"), [(text, "END") for text in texts])
    starts = [display_width(line.removesuffix("END")) for line in lines]

    assert len(lines) == len(texts)
    assert set(starts) == {display_width("注文について") + 3}


@pytest.mark.parametrize("is_real", [False, True])
def test_steps_are_numbered_without_gaps(
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    is_real: bool,
) -> None:
    """In the demo of an invented helpdesk, and in that of a real one."""
    counts = {"ticket_messages": 1}

    def load(title: str, *_: object) -> demo.Run:
        demo.say(title)
        return demo.Run(counts, counts, "{}")

    monkeypatch.setattr(demo, "install", lambda: None)
    monkeypatch.setattr(demo, "query", lambda *queries: [[(1,) * 5]] * len(queries))
    monkeypatch.setattr(demo, "environment", lambda *_: None)
    monkeypatch.setattr(demo, "output", lambda *_: "")
    monkeypatch.setattr(demo, "catalog", lambda _: {"streams": []})
    monkeypatch.setattr(demo, "run_connection_test", lambda _: set())
    monkeypatch.setattr(demo_models, "loaded", lambda _: {"tickets"})
    monkeypatch.setattr(demo_models, "draw", lambda *_: None)
    monkeypatch.setattr(demo, "load", load)
    monkeypatch.setattr(demo, "check", lambda *_: None)
    real = {**sandbox.config, "start_date": "2026-10-01"} if is_real else {}
    monkeypatch.setattr(demo, "account", lambda: real)
    demo.demo(fresh=False)
    found = re.findall(r"^(\d)  ", capsys.readouterr().out, re.MULTILINE)

    assert list(map(int, found)) == list(range(1, 7 if is_real else 8))


def test_an_old_python_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The script is valid there, too, and ends before it installs anything."""
    for module in (demo, commands):
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        ast.parse(source, feature_version=(3, 9))
    monkeypatch.setattr(sys, "version_info", (3, 9, 25, "final", 0))
    monkeypatch.setattr(sys, "argv", ["demo.py"])
    monkeypatch.setattr(demo, "demo", pytest.fail)

    assert demo.main() == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "3.10" in line
    assert "3.9" in line


def test_a_missing_network_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Instead of the last lines of pip."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "pyproject.toml").touch()
    with pytest.raises(commands.DemoError, match="cannot reach its package index"):
        commands.environment(
            tmp_path, "tap", sys.executable, "stamp", str(tmp_path / "source")
        )
    assert not (tmp_path / "tap" / "installed").exists()
