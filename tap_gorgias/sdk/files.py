"""Reads the files of the command line, and names them in errors about their content."""

from __future__ import annotations

import contextlib
import json
from typing import IO, TYPE_CHECKING, Any

from singer_sdk.singerlib import Catalog
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_gorgias.errors import CatalogError, StateError

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE_FORM = "STATE must be a JSON object with the object `bookmarks` at its top level."
_MELTANO_STATE = "singer_state"
"""Where the state lies in the output of `meltano state get`."""


@contextlib.contextmanager
def errors_name_files(
    *, state: IO[str] | None, catalog: IO[str] | None
) -> Iterator[None]:
    """Put the name of the file in front of errors about STATE and the catalog."""
    try:
        yield
    except (CatalogError, StateError) as error:
        file = state if isinstance(error, StateError) else catalog
        if file is None:
            raise
        message = f"{file.name}: {error}"
        raise type(error)(message) from None


def read_state(file: IO[str]) -> dict[str, Any]:
    """Read a STATE."""
    try:
        state = json.loads(file.read())
    except (ValueError, RecursionError):
        message = (
            "STATE is not valid JSON. Pass the last complete line that the target "
            "wrote, or `{}` to read everything again."
        )
        raise StateError(message) from None
    if not isinstance(state, dict):
        raise StateError(STATE_FORM)
    unwrapped: dict[str, Any] = state.get(_MELTANO_STATE, state)
    return unwrapped


def read_catalog(file: IO[str]) -> Catalog:
    """Read a catalog."""
    try:
        catalog = json.loads(file.read())
        for stream in catalog["streams"]:
            _move_replication_method(stream)
        return Catalog.from_dict(catalog)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        message = "The catalog is not valid. Create one with `--discover`."
        raise CatalogError(message) from None


def _move_replication_method(stream: dict[str, Any]) -> None:
    """Move `replication-method` from the metadata to where the SDK reads it."""
    for entry in stream["metadata"]:
        method = entry["metadata"].get("replication-method")
        if not entry["breadcrumb"] and method == REPLICATION_FULL_TABLE:
            stream["replication_method"] = method
