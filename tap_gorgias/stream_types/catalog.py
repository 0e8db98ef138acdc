"""Records of a stream as its schema and the catalog want them."""

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

from tap_gorgias import schemas
from tap_gorgias.compat import override
from tap_gorgias.errors import CatalogError
from tap_gorgias.records.converter import RecordConverter
from tap_gorgias.sdk.record_messages import ConvertedRecordStream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.singerlib import Catalog, MetadataMapping


class CatalogStream(ConvertedRecordStream):
    """A stream whose schema lies in a file, and of which a catalog selects a part."""

    deselected_by_default: ClassVar[tuple[str, ...]] = ()
    """Properties that have to be selected in a catalog to be read."""

    primary_keys: Sequence[str] = ("id",)
    replication_key: str | None = None
    schema = StreamSchema(SchemaDirectory(schemas))

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        """Take the catalog's selection, and of replication only FULL_TABLE.

        Keys and order are facts of the endpoint. Catalogs that other tools wrote may
        lack or change them, which would make a target append where it should update.

        Args:
            catalog: Catalog handed to the tap.
        """
        super().apply_catalog(catalog)
        own = type(self)
        if entry := catalog.get_stream(self.name):
            # Stream maps take the keys from the catalog.
            entry.key_properties = own.primary_keys
            keys = [*own.primary_keys, *filter(None, [own.replication_key])]
            # Our own schema need not be checked, which takes longer than all else here.
            if self.selected and (schema := entry.schema.to_dict()) != self.schema:
                _check_schema(self.name, schema, keys)
            # The SDK selects a stream of which this is missing, but no properties.
            entry.metadata.setdefault((), StreamMetadata(selected=True))
            # A SCHEMA without a property that it names as key cannot be loaded.
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
        """Makes records fit the schema, with the properties that are selected."""
        declared = self.effective_schema["properties"].keys()
        left_out = {
            name
            for name in self.schema["properties"].keys() - set(self.primary_keys)
            if name not in declared or not self.mask["properties", name]
        }
        return RecordConverter(self.schema, self.logger, left_out)


def _check_schema(stream: str, schema: dict[str, Any], keys: Sequence[str]) -> None:
    """Check a schema that goes to the target as the catalog has it."""
    try:
        Draft7Validator.check_schema(schema)
        usable = schema["properties"].keys() >= set(keys)
    except (SchemaError, LookupError, TypeError, AttributeError):
        usable = False
    if not usable:
        message = f"The catalog's schema of `{stream}` is none, or lacks the keys."
        raise CatalogError(message)
