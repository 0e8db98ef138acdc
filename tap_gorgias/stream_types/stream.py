"""The class of all streams: schema, requests, rows, and the position in STATE."""

from __future__ import annotations

import logging
import sys
from abc import ABC, abstractmethod
from collections import Counter
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from singer_sdk import SchemaDirectory, StreamSchema
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from singer_sdk.streams.rest import PageContext

from tap_gorgias import schemas, timestamps
from tap_gorgias.api.paginators import CursorPaginator
from tap_gorgias.api.session import latest_timestamp_of
from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError, IncompleteError, TransientApiError
from tap_gorgias.records import masking
from tap_gorgias.records.converter import RecordConverter
from tap_gorgias.replication.bookmarks import MAX_CLOCK_DIFFERENCE
from tap_gorgias.replication.pages import (
    CutListError,
    MissingRow,
    NullListError,
    Page,
    PageError,
    rows_of,
)
from tap_gorgias.replication.pieces import ListReader, Order
from tap_gorgias.replication.prefetch import prefetch_next
from tap_gorgias.run.progress import StreamProgress
from tap_gorgias.run.runner import Priority
from tap_gorgias.sdk.files import check_schema, complete_entry
from tap_gorgias.sdk.logs import StreamLogger
from tap_gorgias.sdk.record_messages import ConvertedRecordStream
from tap_gorgias.sdk.state_manager import CheckpointManager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import requests
    from singer_sdk import Tap
    from singer_sdk.helpers import types
    from singer_sdk.pagination import BaseAPIPaginator
    from singer_sdk.singerlib import Catalog, MetadataMapping
    from typing_extensions import ParamSpec, Self

    from tap_gorgias.api.auth import GorgiasAuthenticator
    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.replication.pages import Row
    from tap_gorgias.replication.walks import Step
    from tap_gorgias.run.context import Run
    from tap_gorgias.sdk.writer import MessageWriter

    P = ParamSpec("P")

T = TypeVar("T")


class GorgiasStream(ConvertedRecordStream, ABC):
    """A stream of the Gorgias API."""

    name: str

    path: str
    """Path of the endpoint, for example `/api/tickets/{ticket_id}`."""

    scope: ClassVar[str]
    """OAuth2 scope that the endpoint needs (docs/oauth2-scopes)."""

    scope_of_imports: ClassVar[str | None] = None
    """Scope that the stream needs to find rows that an import dated back, if it can."""

    order_by: ClassVar[str | None] = None
    """Order to ask for; None where the endpoint has no orders."""

    page_size: ClassVar[int | None] = 100
    """Rows to ask for in a request, by default the most that a list endpoint returns;
    None where the endpoint has no pages."""

    primary_keys: Sequence[str] = ("id",)
    replication_key: str | None = None
    schema = StreamSchema(SchemaDirectory(schemas))

    deselected_by_default: ClassVar[tuple[str, ...]] = ()
    """Properties that are read only if a catalog selects them."""

    masks: ClassVar[tuple[str, ...]] = ()
    """Parts of a record that can contain credentials of other systems: paths such as
    `messages.actions`, or `masking.WHOLE`."""

    priority: ClassVar[Priority] = Priority.NORMAL

    state_keys: ClassVar[tuple[str, ...]] = ()
    """Keys of the stream's entry in STATE; none if it always reads everything."""

    def __init__(self, tap: Tap, run: Run) -> None:
        self.for_stream: GorgiasStream = self
        """The stream that the list is read for: requests and failures belong to it."""
        super().__init__(tap)
        self.tap = tap
        self.run = run
        self.progress = StreamProgress(
            run.progress, self.name, self.replication_key, self.logger
        )
        self.warnings: set[str] = set()
        self._missing: Counter[str] = Counter()
        self._states = CheckpointManager(stream_name=self.name, tap_state=tap.state)

    @classmethod
    def reading_for(cls, stream: GorgiasStream) -> Self:
        """Return another stream of this type, whose list is read for `stream`."""
        own = cls(stream.tap, stream.run)
        own.for_stream = stream.for_stream
        own.warnings = stream.for_stream.warnings
        return own

    @property
    @override
    def logger(self) -> logging.Logger:
        if self.for_stream is not self:
            return self.for_stream.logger
        return cast("logging.Logger", StreamLogger(super().logger, self.name))

    @override
    def log(
        self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any
    ) -> None:
        # The SDK logs here that the stream begins, and that an exception ends it. The
        # runner reports that exception once, and without data.
        is_failure = level == logging.ERROR and sys.exc_info()[1] is not None
        if is_failure or level == logging.INFO:
            level = logging.DEBUG
        self.logger.log(level, message, *args, **kwargs)

    def warn_once(self, message: str, *args: object) -> None:
        """Log a warning, unless this run has logged the same one."""
        warning = message % args
        if warning not in self.warnings:
            self.warnings.add(warning)
            self.logger.warning("%s", warning)

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        entry = catalog.get_stream(self.name)
        if entry is not None:
            complete_entry(entry, self)
        super().apply_catalog(catalog)
        if entry is not None and self.selected:
            check_schema(entry, self)

    @property
    @override
    def metadata(self) -> MetadataMapping:
        metadata = super().metadata
        for name in self.deselected_by_default:
            metadata["properties", name].selected_by_default = False
        return metadata

    @cached_property
    def converter(self) -> RecordConverter:
        """Converts records to the schema, without what a catalog deselects."""
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

    @property
    @override
    def url_base(self) -> str:
        return self.run.settings.api_url

    @property
    @override
    def requests_session(self) -> requests.Session:
        return self.run.client.session

    @property
    @override
    def authenticator(self) -> GorgiasAuthenticator:
        return self.run.client.authenticator

    @cached_property
    @override
    def user_agent(self) -> str:
        return self.run.settings.user_agent

    @property
    def params(self) -> Mapping[str, Any]:
        """Query parameters of each request, besides those of its page."""
        return {}

    @override
    def get_url_params(
        self, context: types.Context | None, next_page_token: str | None
    ) -> dict[str, Any]:
        page = {"limit": self.page_size, "order_by": self.order_by}
        params = {**page, "cursor": next_page_token, **self.params}
        return {name: value for name, value in params.items() if value is not None}

    @override
    def get_new_paginator(
        self, start_value: str | None = None
    ) -> BaseAPIPaginator[Any]:
        return CursorPaginator(start_value, self.page_size)

    @override
    def request_decorator(
        self, func: Callable[P, T], patience: float | None = None
    ) -> Callable[P, T]:
        return self.run.client.with_retries(func, self.name, patience)

    @override
    def validate_response(self, response: requests.Response) -> None:
        self.run.client.validate(response, self.name, self.scope)
        if self.run.unchecked_state:
            self.run.check_state(self.now(response))

    @override
    def parse_response(self, response: requests.Response) -> Iterable[types.Record]:
        return rows_of(response.json())

    def page_of(
        self, response: requests.Response, paginator: BaseAPIPaginator[Any]
    ) -> Page:
        """Return the page in a response; raises `PageError` if it is none."""
        # First: a null list after a cursor is a fault, and no missing permission.
        next_cursor = paginator.get_next(response)
        rows = list(self.parse_response(response))
        now, key = self.now(response), self.replication_key or ""
        return Page(rows, next_cursor, now, key)

    def now(self, response: requests.Response) -> str:
        """Return the latest time at which Gorgias can have made a response."""
        # The local clock may be wrong: what is recent by it cannot become a bookmark.
        local = self.run.clock.utc() - MAX_CLOCK_DIFFERENCE
        return latest_timestamp_of(response) or timestamps.render(local)

    def pages(
        self,
        cursor: str | None = None,
        params: Mapping[str, Any] | None = None,
        context: types.Context | None = None,
        patience: float | None = None,
    ) -> Iterator[Page]:
        """Request the pages of a list from a cursor on; None is the first page.

        `params` choose a part of the list: they are query parameters, or the body of a
        POST. `context` chooses the list of a parent. Requests are retried for
        `patience` seconds; None is for as long as those of a run.
        """
        key, params = self.replication_key or "", params or {}
        since, now = params.get(f"{key}[gte]"), self.run.clock.utc()
        reader = ListReader(
            partial(self._request_page, params, context),
            self.page_size,
            Order.of(self.order_by, key, since, now),
            is_divisible=context is None and self.http_method == "GET",
            may_probe=self.run.client.retries.may_probe,
            report_incomplete=self.for_stream.report_incomplete,
        )
        return reader.pages(cursor, patience)

    def _request_page(
        self,
        params: Mapping[str, Any],
        context: types.Context | None,
        cursor: str | None,
        size: int | None,
        patience: float | None,
    ) -> Page:
        # The SDK's `_request` is not used: it logs metrics of each request, and cannot
        # sign again after a 401.
        paginator = self.get_new_paginator(cursor)
        if isinstance(paginator, CursorPaginator) and paginator.page_size:
            paginator.page_size = size
        request = self.get_http_request(page=PageContext(context, cursor))
        if size != self.page_size:
            request.params["limit"] = size
        if self.http_method == "POST":
            request.data = dict(params)
        else:
            request.params.update(params)
        prepared_request = self.build_prepared_request(
            method=request.method,
            url=request.url,
            params=request.encode_params(),
            headers=request.headers,
            json=request.data,
        )
        sender = self.for_stream

        def send() -> Page:
            response = self.run.client.send_signed(prepared_request, sender.name)
            sender.validate_response(response)
            try:
                return self.page_of(response, paginator)
            except (CutListError, NullListError) as error:
                raise self.as_api_error(error, response.status_code) from None

        return sender.request_decorator(send, patience)()

    def with_ids(self, ids: Sequence[int]) -> Iterator[Page] | None:  # noqa: ARG002 (subclasses use it)
        """Request rows by their ids; None if the endpoint cannot do that."""
        return None

    @abstractmethod
    def steps(self) -> Iterator[Step]:
        """Read rows as Gorgias sent them, and positions to save once they are out."""

    @override
    def request_records(self, context: types.Context | None) -> Iterable[types.Record]:
        # The SDK's own method saves nothing between two pages, and ends at an empty
        # one. Its test of the connection stops after the first record.
        steps = self.steps()
        if self.progress.prefetches and self.ABORT_AT_RECORD_COUNT is None:
            steps = prefetch_next(steps, lambda step: step.has_next_page)
        try:
            for step in steps:
                yield from step.rows
                self.run.summary.count(self.name, rows=len(step.rows))
                self.progress.add(step.rows, step.position)
                self.save(step.position)
        except PageError as error:
            raise self.as_api_error(error) from None

    def as_api_error(
        self, error: ApiError | PageError, status: int | None = None
    ) -> ApiError:
        """Add the stream and the path to a page error; a cut list can be retried."""
        if isinstance(error, ApiError):
            return error
        name, advice = self.for_stream.name, ""
        if isinstance(error, NullListError):
            advice = self.authenticator.forbidden_advice(self.scope, name)
        kind = TransientApiError if isinstance(error, CutListError) else ApiError
        return kind(
            str(error), stream=name, path=self.path, status=status, advice=advice
        )

    @override
    def generate_child_contexts(
        self, record: types.Record, context: types.Context | None
    ) -> Iterable[types.Context | None]:
        # Children walk the list of their parent by themselves, see `children.py`. Only
        # the SDK's test of the connection reads them within their parents.
        if self.ABORT_AT_RECORD_COUNT is not None and self.child_streams:
            yield self.get_child_context(record, context)

    @override
    def post_process(
        self, row: types.Record, context: types.Context | None = None
    ) -> types.Record | None:
        if isinstance(row, MissingRow):
            return None
        record = self.converter.convert(row)
        for path in self.masks:
            record = masking.mask_at(path, record)
        if all(record.get(key) is not None for key in self.primary_keys):
            return record
        self.report_keyless()
        return None

    def lacks_key(self, row: Row) -> bool:
        """Return whether a row cannot be loaded, because it lacks its key."""
        keys = [name for name in self.primary_keys if type(row.get(name)) is not int]
        return any(
            self.converter.convert({name: row.get(name)})[name] is None for name in keys
        )

    def report_keyless(self) -> None:
        """Report a record that cannot be loaded."""
        keys = ", ".join(self.primary_keys)
        error = PageError(f"a record came without its key ({keys}). It is left out.")
        self.for_stream.report_incomplete(str(self.as_api_error(error)))

    def report_incomplete(self, reason: str) -> None:
        """Log what is left out, without customer data; the stream fails at its end."""
        if reason not in self._missing:
            self.logger.warning("%s", reason)
        self._missing[reason] += 1

    def check_complete(self) -> None:
        """Raise `IncompleteError` if rows are missing from a stream that was read."""
        if self._missing:
            raise IncompleteError(self._missing)

    @property
    @override
    def state_manager(self) -> CheckpointManager:
        return self._states

    @property
    def output(self) -> MessageWriter:
        """Where the tap's messages go."""
        return cast("MessageWriter", self.tap.message_writer)

    def entry_for(self, position: Position) -> dict[str, Any]:
        """Return the entry of the stream in STATE at a position."""
        return position.to_state(str(self.replication_key), self.state_keys)

    def save(self, position: Position | None) -> None:
        """Write the rows received so far, then the position after them, if any.

        With BATCH a position becomes public with the files of its rows.
        """
        if position is None or self.replication_method == REPLICATION_FULL_TABLE:
            self.output.flush()
            return
        self.state_manager.stage(self.entry_for(position))
        if not self.get_batch_config(self.config):
            self.publish()

    @override
    def publish(self) -> None:
        with self.output.exclusive():
            self.output.flush()
            self.state_manager.publish()
            self.tap.state_writer.write_state(self.tap_state)
