"""Entries of catalogs, which other tools may have written without what streams need."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from jsonschema import Draft7Validator, SchemaError
from singer_sdk.singerlib.catalog import (
    REPLICATION_FULL_TABLE,
    Metadata,
    StreamMetadata,
)
from singer_sdk.singerlib.schema import Schema

from tap_gorgias.errors import CatalogError

if TYPE_CHECKING:
    from singer_sdk import Stream
    from singer_sdk.singerlib import CatalogEntry


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
