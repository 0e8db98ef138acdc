"""Settings, STATE and catalogs may hold anything: words, or a run like any other."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
from random import Random
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_gorgias.replication.bookmarks import TIMESTAMP_KEYS
from tap_gorgias.stream_types.paged import PagedStream
from tap_gorgias.tap import TapGorgias
from tests.fuzz.promise import command, kept, small_catalog
from tests.fuzz.rubbish import VALUES, places, put, text_of
from tests.fuzz.runs import examples
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.runs import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = sorted(
    TapGorgias.config_jsonschema["properties"]
    | TapGorgias(validate_config=False).config_jsonschema["properties"]
)
ADDRESSES = {"api_url", "subdomain"}
FOLLOWED = ("tickets", "ticket_messages", "ticket_details")
STATEFUL = (*FOLLOWED, "events", "jobs", "voice_call_events")
ENTRY_KEYS = (
    *("replication_key", "walk", "cursor", "parent_walk", "emitting"),
    *TIMESTAMP_KEYS,
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A tiny shop that has pages nonetheless."""
    shop = Shop(seed=3, tickets=12, customers=12, events=12, voice_calls=12)
    with pytest.MonkeyPatch.context() as patch, Sandbox(shop) as sandbox:
        patch.setattr(PagedStream, "page_size", 5)
        yield sandbox


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files are written; each example overwrites them."""
    return tmp_path_factory.mktemp("files")


def written(folder: Path, name: str, text: str) -> str:
    """Write a file as it may come from anywhere."""
    path = folder / name
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return str(path)


@pytest.mark.parametrize("name", SETTINGS)
@given(value=VALUES)
@examples(8)
def test_a_setting_of_any_kind_is_used_or_refused(
    sandbox: Sandbox, folder: Path, name: str, value: object
) -> None:
    """In a file."""
    arguments = [
        f"--config={written(folder, 'c', text_of({**sandbox.config, name: value}))}",
        f"--catalog={written(folder, 'k', small_catalog('events'))}",
    ]
    only_checked = mock.patch.object(TapGorgias, "sync_all")
    with only_checked if name in ADDRESSES else contextlib.nullcontext():
        command(*arguments)


@pytest.mark.parametrize("name", SETTINGS)
@given(value=VALUES.filter(lambda value: "\0" not in str(value)[:100_000]))
@examples(3)
def test_so_is_one_from_the_environment(
    sandbox: Sandbox, folder: Path, name: str, value: object
) -> None:
    """As text, or as the JSON that the SDK makes of it."""
    text = value if isinstance(value, str) else text_of(value)
    encoded = text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
    given_settings = {**sandbox.config, name: encoded[:120_000]}
    environment = {f"TAP_GORGIAS_{k.upper()}": v for k, v in given_settings.items()}
    catalog = written(folder, "k", small_catalog("events"))
    only_checked = mock.patch.object(TapGorgias, "sync_all")
    with (
        mock.patch.dict("os.environ", environment),
        only_checked if name in ADDRESSES else contextlib.nullcontext(),
    ):
        command("--config=ENV", f"--catalog={catalog}")


@pytest.mark.parametrize("option", ["config", "state", "catalog"])
@given(text=VALUES.map(text_of) | st.text(max_size=20))
@examples(30)
def test_a_file_of_any_text_is_used_or_refused(
    sandbox: Sandbox, folder: Path, option: str, text: str
) -> None:
    """JSON of any kind, and what is none."""
    files = {"config": json.dumps(sandbox.config), "catalog": small_catalog("tags")}
    files[option] = text
    command(*(f"--{name}={written(folder, name, files[name])}" for name in files))


@functools.cache
def states(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Make STATE of a whole run, and of runs that were cut short."""
    sandbox.faults.clear()
    found = [run(sandbox.config, *STATEFUL).state]
    for path, after in (
        ("/api/tickets", 1),
        ("/api/messages", 1),
        ("/api/tickets/*", 6),
        ("/api/jobs", 1),
        ("/api/phone/voice-call-events", 1),
    ):
        sandbox.faults.clear()
        sandbox.faults.add(Fault.error(400), path, after=after)
        found.append(kept(sandbox.config, *STATEFUL).output.state)
    sandbox.faults.clear()
    return found


@given(seed=st.integers(0, 2**32), value=VALUES)
@examples(15)
def test_state_of_any_kind_is_used_or_refused(
    sandbox: Sandbox, folder: Path, seed: int, value: object
) -> None:
    """With one thing changed or added, anywhere in it."""
    chance = Random(seed)  # noqa: S311 (no secret)
    state = copy.deepcopy(chance.choice(states(sandbox)))
    path = chance.choice([*places(state)])
    if chance.random() < 0.5:
        path = ("bookmarks", chance.choice(STATEFUL), chance.choice(ENTRY_KEYS))
        state["bookmarks"].setdefault(path[1], {})
    state_file = written(folder, "s", text_of(put(state, path, value)))

    outcome = command(
        f"--config={written(folder, 'c', json.dumps(sandbox.config))}",
        f"--catalog={written(folder, 'k', small_catalog(*STATEFUL))}",
        f"--state={state_file}",
    )

    if not outcome.errors:
        rest = kept(sandbox.config, *STATEFUL, state=outcome.output.state)
        assert rest.errors == []


@given(seed=st.integers(0, 2**32), value=VALUES)
@examples(30)
def test_a_catalog_of_any_kind_is_used_or_refused(
    sandbox: Sandbox, folder: Path, seed: int, value: object
) -> None:
    """With one thing changed or taken out, anywhere in it."""
    chance = Random(seed)  # noqa: S311 (no secret)
    catalog = json.loads(small_catalog("tags", "tickets"))
    entry = catalog["streams"][0]
    entry["metadata"] = entry["metadata"][:3]
    path = chance.choice([path for path in places(catalog) if path])
    text = text_of(put(catalog, path, value))
    if chance.random() < 0.3:
        *outer, last = path
        holder = functools.reduce(lambda inner, key: inner[key], outer, catalog)
        del holder[last]
        text = text_of(catalog)

    command(
        f"--config={written(folder, 'c', json.dumps(sandbox.config))}",
        f"--catalog={written(folder, 'k', text)}",
        own_schemas="schema" not in path,
    )
