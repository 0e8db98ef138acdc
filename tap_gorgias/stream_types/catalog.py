"""Streams whose records match their schema and the selection in the catalog."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from jsonschema import Draft7Validator, SchemaError
from singer_sdk import SchemaDirectory, StreamSchema
from singer_sdk.singerlib.catalog import (
    REPLICATION_FULL_TABLE,
    Metadata,
    StreamMetadata,
)
from singer_sdk.singerlib.schema import Schema

from tap_gorgias import schemas
from tap_gorgias.compat import override
from tap_gorgias.errors import CatalogError
from tap_gorgias.records.converter import RecordConverter
from tap_gorgias.sdk.record_messages import ConvertedRecordStream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.singerlib import Catalog, CatalogEntry, MetadataMapping


class CatalogStream(ConvertedRecordStream):
    """A stream with its schema in a file, and its selection in a catalog."""

    deselected_by_default: ClassVar[tuple[str, ...]] = ()
    """Properties that are read only if a catalog selects them."""

    primary_keys: Sequence[str] = ("id",)
    replication_key: str | None = None
    schema = StreamSchema(SchemaDirectory(schemas))

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Apply the selection of a catalog, and FULL_TABLE as its replication method.

        Keys and order are properties of the endpoint. A catalog that another tool wrote
        may lack or change them, and then a target would append rows instead of updating
        them.

        Args:
            catalog: The catalog that was passed to the tap.
        """
        super().apply_catalog(catalog)
        own = type(self)
        if entry := catalog.get_stream(self.name):
            _check_name(self.name, entry)
            # The SDK prefers the entry's method, which `--discover` has written.
            method = getattr(entry.metadata.get(()), "forced_replication_method", None)
            if method == REPLICATION_FULL_TABLE:
                self.forced_replication_method = method
            # Stream maps read the keys from the catalog.
            entry.key_properties = own.primary_keys
            keys = [*own.primary_keys, *filter(None, [own.replication_key])]
            # The tap's own schema is not checked: it is valid, and a check is slow. A
            # catalog does not contain its marks of personal data.
            own_schema = Schema.from_dict(self.schema).to_dict()
            if self.selected and (schema := entry.schema.to_dict()) != own_schema:
                _check_schema(self.name, schema, keys)
            # Without this the SDK selects the stream, but none of its properties.
            entry.metadata.setdefault((), StreamMetadata(selected=True))
            # A target cannot load a SCHEMA without the properties that are its keys.
            for name in keys:
                key = entry.metadata["properties", name]
                key.inclusion = Metadata.InclusionType.AUTOMATIC
        if self.replication_key not in {None, own.replication_key}:
            self.logger.warning(
                "The catalog's replication key `%s` is ignored: the stream has `%s`.",
                self.replication_key,
                own.replication_key,
            )
        self.primary_keys = own.primary_keys
        self.replication_key = own.replication_key
        if self.forced_replication_method != REPLICATION_FULL_TABLE:
            self.forced_replication_method = None

    @property
    @override
    def metadata(self) -> MetadataMapping:
        metadata = super().metadata
        for name in self.deselected_by_default:
            metadata["properties", name].selected_by_default = False
        return metadata

    @cached_property
    def converter(self) -> RecordConverter:
        """Converts records to the schema, with the selected properties."""
        declared = self.effective_schema["properties"].keys()
        deselected = {
            name
            for name in self.schema["properties"].keys() - set(self.primary_keys)
            if name not in declared or not self.mask["properties", name]
        }
        return RecordConverter(self.schema, self.logger, deselected)

    @override
    def report_unknown(self, name: str) -> None:
        self.converter.report_unknown(name)


def _check_name(stream: str, entry: CatalogEntry) -> None:
    for name in (entry.stream, entry.stream_alias):
        if name not in {None, stream}:
            message = (
                f"The catalog renames `{stream}`, which has no effect. Set `__alias__` "
                "in `stream_maps` instead."
            )
            raise CatalogError(message)


def _check_schema(stream: str, schema: dict[str, Any], keys: Sequence[str]) -> None:
    """Check a schema that the target gets as it is in the catalog."""
    try:
        Draft7Validator.check_schema(schema)
        usable = schema["properties"].keys() >= set(keys)
    except (SchemaError, LookupError, TypeError, AttributeError):
        usable = False
    if not usable:
        message = (
            f"The catalog's schema for `{stream}` is invalid or lacks the key "
            "properties."
        )
        raise CatalogError(message)
