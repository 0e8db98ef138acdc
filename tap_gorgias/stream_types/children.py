"""Child streams: one request for each row of a parent stream.

A child walks the list of its parent by itself, with a position of its own. It does not
depend on the sync of the parent: it may be selected later or alone, pause, fail, or be
read at the same time.
"""

from __future__ import annotations

import itertools
from abc import ABC
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast

from tap_gorgias import timestamps
from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.replication.bookmarks import RETRY_KEYS, Position
from tap_gorgias.replication.imported_tickets import ids_in
from tap_gorgias.replication.pages import (
    MissingRow,
    PageError,
    proven,
    restarted_once,
    started,
)
from tap_gorgias.replication.parents import GONE, MAX_RETRIES, Parents
from tap_gorgias.replication.prefetch import prefetched
from tap_gorgias.replication.walks import Step, WalkPlan
from tap_gorgias.run.runner import Priority
from tap_gorgias.stream_types.replication import FeedStream, SingleRecordStream
from tap_gorgias.stream_types.stream import GorgiasStream

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers import types

    from tap_gorgias.replication.pages import Page, Row
    from tap_gorgias.run.context import Run

SECONDS_FOR_RETRIED = 10.0
"""How long a parent is tried that failed in an earlier run."""
SHOWN_IDS = 10


P = TypeVar("P", bound=GorgiasStream)


class ChildStream(GorgiasStream, ABC, Generic[P]):
    """One request for each row of the parent, with several in flight."""

    state_partitioning_keys = ()
    """A million tickets must not make a million bookmarks."""

    requests_in_flight: ClassVar[int] = 8
    """Enough for 8 requests a second, the most of any plan, if each takes a second."""

    gone_statuses: ClassVar[Collection[int]] = GONE
    """The status for a parent that was merged or deleted in the meantime."""

    may_be_private: ClassVar[bool] = False
    """Whether a 403 may concern a single parent."""

    contexts_per_state: ClassVar[int] = 10
    """How many parents of a page are read between two saved positions."""

    def __init__(self, tap: Tap, run: Run) -> None:
        super().__init__(tap, run)
        parent_type = cast("type[P]", self.parent_stream_type)
        self.parent = parent_type.reading_for(self)
        """The stream of the parents, whose list is read for this one."""

    def with_parent_keys(self, row: Row, context: types.Context) -> Row:
        """Add the context of its parent to a row."""
        return {**context, **row}

    @override
    def steps(self) -> Iterator[Step]:
        return self.children_of(self.parent.steps(), Position())

    def children_of(
        self, parent_steps: Iterator[Step], position: Position
    ) -> Iterator[Step]:
        """Read the rows of parents, first of those that an earlier run left out.

        `parent_steps` are rows of the parent, and the positions after them. A position
        waits until it is known what became of the parents before it.
        """
        page = Step([{"id": parent} for parent in position.retry], position)
        parents = Parents(
            position,
            dict.fromkeys(position.retry),
            gone_statuses=self.gone_statuses,
            may_be_private=self.may_be_private,
            on_failure=lambda parent, error: self._leave_out(
                parent, error, is_kept=parent in parents.retry
            ),
            listed=lambda ids: self._listed(ids, page.position_before),
        )
        try:
            if page.rows:
                yield from self._rows_of_page(page, parents, is_retried=True)
            for page in parent_steps:
                yield from self._rows_of_page(page, parents)
            if (end := parents.end()) is not None:
                yield Step([], end)
        finally:
            self._log_gone(parents.gone)

    def _rows_of_page(
        self, page: Step, parents: Parents, *, is_retried: bool = False
    ) -> Iterator[Step]:
        rows = [*self._with_integer_ids(page.rows)]
        responses = prefetched(
            partial(self.start_row, is_retried=is_retried),
            rows,
            self.requests_in_flight,
        )
        for number, (row, response) in enumerate(responses, start=1):
            try:
                yield from self._rows_of(self._context_of(row), response.result)
            except (ApiError, PageError) as error:
                failure = self.as_api_error(error)
                parents.fail(row["id"], failure, is_retried=is_retried)
            else:
                parents.read(row["id"])
            if number % self.contexts_per_state == 0 and number < len(rows):
                within = self._within_page(page, following=rows[number:])
                yield Step([], parents.saved(within))
        parents.check_page(len(rows))
        if is_retried:
            parents.settle()
        yield Step([], parents.saved(page.position))

    def _context_of(self, row: Row) -> types.Context:
        return self.parent.get_child_context(row, None) or {}

    def start_row(self, row: Row, *, is_retried: bool) -> Iterator[Page]:
        """Request the first page of a parent's rows, in any thread."""
        return self.start_pages(self._context_of(row), is_retried=is_retried)

    def start_pages(
        self, context: types.Context, *, is_retried: bool = False
    ) -> Iterator[Page]:
        """Request the first page of the rows in a context, in any thread."""
        patience = SECONDS_FOR_RETRIED if is_retried else None
        pages_from = partial(self.pages, context=context, patience=patience)
        return started(restarted_once(lambda: proven(pages_from), self.logger.warning))

    def pages_of(
        self,
        context: types.Context,  # noqa: ARG002 (subclasses use it)
        response: Callable[[], Iterator[Page]],
    ) -> Iterator[Page]:
        """Return the pages of a parent's rows, the first of which was prefetched."""
        return response()

    def _rows_of(
        self, context: types.Context, response: Callable[[], Iterator[Page]]
    ) -> Iterator[Step]:
        for page in self.pages_of(context, response):
            rows = [self.with_parent_keys(row, context) for row in page.rows]
            usable = [row for row in rows if not self.lacks_key(row)]
            yield Step(usable, has_next_page=page.next_cursor is not None)
            if len(usable) < len(rows):
                message = "a record came without its key."
                raise PageError(message)

    def _leave_out(self, parent: int, error: ApiError, *, is_kept: bool) -> None:
        name = self._name_of_parent
        if is_kept:
            self.report_incomplete(
                f"{error} {name} {parent} is left out. The next run asks for it again."
            )
        else:
            self.report_incomplete(
                f"{self.name}: more than {MAX_RETRIES} {self.parent.name} cannot be "
                "read. The next run begins at the first of the others."
            )

    def _listed(self, ids: Sequence[int], before: Position | None) -> list[int]:
        """Return those of the parents that their list, or this page, still shows."""
        pages = self.parent.with_ids(ids)
        if pages is None:
            cursor = before.walk.cursor if before and before.walk else None
            pages = itertools.islice(self.parent.pages(cursor), 1)
        return [one for page in pages for one in ids_in(page.rows, "id")]

    def _log_gone(self, gone: list[int]) -> None:
        if len(gone) == 1:
            self.logger.info(
                "%s %d was deleted or merged: skipped.", self._name_of_parent, gone[0]
            )
        elif gone:
            self.logger.info(
                "%d %s were deleted or merged: skipped. The first are %s.",
                len(gone),
                self.parent.name,
                ", ".join(map(str, gone[:SHOWN_IDS])),
            )

    @property
    def _name_of_parent(self) -> str:
        return self.parent.name.removesuffix("s").capitalize()

    def _with_integer_ids(self, rows: list[Row]) -> Iterator[Row]:
        for row in rows:
            if isinstance(row, MissingRow):
                continue
            if self.parent.lacks_key(row):
                self.parent.report_keyless()
            else:
                row_id = self.parent.converter.convert({"id": row["id"]})["id"]
                yield {**row, "id": row_id}

    def _within_page(self, step: Step, following: list[Row]) -> Position | None:
        before = step.position_before
        key = self.parent.replication_key or ""
        dates = [timestamps.normalized_or_none(row.get(key)) for row in following]
        if before is None or before.walk is None or None in dates:
            return None
        reached = max(filter(None, dates))
        return replace(before, walk=replace(before.walk, reached=reached))


class DetailsStream(ChildStream[FeedStream], SingleRecordStream, FeedStream, ABC):
    """One row, and one request, for each row of a feed that changed."""

    replication_key = "updated_datetime"
    state_keys: ClassVar[tuple[str, ...]] = RETRY_KEYS
    selected_by_default = False
    priority = Priority.LOW

    @override
    def steps(self) -> Iterator[Step]:
        position = self.load_position()
        parents = self.parent.walk(WalkPlan(position, self.floor))
        return self.children_of(parents, position)

    @override
    def with_parent_keys(self, row: Row, context: types.Context) -> Row:
        return row
