"""STATE and catalogs, which may be torn, edited or written by another tool."""

from __future__ import annotations

import contextlib
import json
from typing import IO, TYPE_CHECKING, Any, cast

from jsonschema import Draft7Validator, SchemaError
from singer_sdk.singerlib import Catalog
from singer_sdk.singerlib.catalog import (
    REPLICATION_FULL_TABLE,
    Metadata,
    StreamMetadata,
)
from singer_sdk.singerlib.schema import Schema

from tap_gorgias.errors import CatalogError, StateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Stream
    from singer_sdk.singerlib import CatalogEntry

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
            for entry in stream["metadata"]:
                # The SDK reads it elsewhere.
                method = entry["metadata"].get("replication-method")
                if not entry["breadcrumb"] and method == REPLICATION_FULL_TABLE:
                    stream["replication_method"] = method
        return Catalog.from_dict(catalog)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        message = "The catalog is not valid. Create one with `--discover`."
        raise CatalogError(message) from None


def complete_entry(entry: CatalogEntry, stream: Stream) -> None:
    """Complete the entry of a stream, before the stream applies it.

    Keys and order are properties of the endpoint. If the entry lacks or changes them, a
    target would append rows instead of updating them.
    """
    for name in (entry.stream, entry.stream_alias):
        if name not in {None, stream.name}:
            message = (
                f"The catalog renames `{stream.name}`, which has no effect. Set "
                "`__alias__` in `stream_maps` instead."
            )
            raise CatalogError(message)
    # Without a default the SDK selects the stream, but none of its properties.
    metadata = entry.metadata.setdefault((), StreamMetadata(selected=True))
    own = cast("StreamMetadata", metadata)
    replication_key = entry.replication_key or own.replication_key
    if replication_key not in {None, stream.replication_key}:
        stream.logger.warning(
            "The catalog's replication key `%s` is ignored: the stream has `%s`.",
            replication_key,
            stream.replication_key,
        )
    # The SDK prefers the entry's method, which `--discover` has written.
    methods = (own.forced_replication_method, entry.replication_method)
    method = REPLICATION_FULL_TABLE if REPLICATION_FULL_TABLE in methods else None
    entry.key_properties = stream.primary_keys
    entry.replication_key = own.replication_key = stream.replication_key
    entry.replication_method = own.forced_replication_method = method
    # A target cannot load a SCHEMA without the properties that are its keys.
    for name in _keys(stream):
        entry.metadata["properties", name].inclusion = Metadata.InclusionType.AUTOMATIC


def check_schema(entry: CatalogEntry, stream: Stream) -> None:
    """Check the schema in an entry, which the target gets as it is."""
    schema = entry.schema.to_dict()
    # A check is slow, and a catalog does not contain the marks of personal data.
    if schema == Schema.from_dict(stream.schema).to_dict():
        return
    try:
        Draft7Validator.check_schema(schema)
        usable = schema["properties"].keys() >= set(_keys(stream))
    except (SchemaError, LookupError, TypeError, AttributeError):
        usable = False
    if not usable:
        message = (
            f"The catalog's schema for `{stream.name}` is invalid or lacks the key "
            "properties."
        )
        raise CatalogError(message)


def _keys(stream: Stream) -> list[str]:
    return [*stream.primary_keys, *filter(None, [stream.replication_key])]
