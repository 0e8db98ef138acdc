"""Child streams: one request for each row of a parent stream.

A child walks the list of its parent by itself, with a position of its own. It does not
depend on the sync of the parent: it may be selected later or alone, pause, fail, or be
read at the same time. The contexts of its parents are its partitions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from tap_gorgias.compat import override
from tap_gorgias.errors import ApiError
from tap_gorgias.replication import ordering
from tap_gorgias.replication.pages import started
from tap_gorgias.replication.prefetch import Prefetcher
from tap_gorgias.replication.walks import Step, WalkPlan
from tap_gorgias.stream_types.base import GorgiasStream
from tap_gorgias.stream_types.replication import FeedStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers import types

    from tap_gorgias.replication.bookmarks import Position
    from tap_gorgias.replication.pages import Page, Row

GONE = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.NOT_FOUND}
"""The status for a parent that was merged or deleted in the meantime."""


P = TypeVar("P", bound=GorgiasStream)


class ChildStream(GorgiasStream, ABC, Generic[P]):
    """One request for each row of the parent, with several in flight."""

    state_partitioning_keys = ()
    """A million tickets must not make a million bookmarks."""

    _prefetcher: Prefetcher[types.Context, Iterator[Page]] | None = None

    requests_in_flight: ClassVar[int] = 8
    """Enough for 8 requests a second, the most of any plan, if each takes a second."""

    contexts_per_state: ClassVar[int] = 10
    """How many parents of a page are read between two saved positions."""

    @property
    def parent(self) -> P:
        """The tap's stream of the type `parent_stream_type`."""
        parent_type = cast("type[P]", self.parent_stream_type)
        return cast("P", self.tap.streams[parent_type.name])

    @abstractmethod
    def parent_steps(self) -> Iterator[Step]:
        """Walk the list of the parent.

        Yields:
            Rows of the parent, and the position of this stream once their rows have
            been emitted.
        """

    def complete(self, row: Row, context: types.Context) -> Row:
        """Add the context of its parent to a row.

        Args:
            row: The row as Gorgias sent it.
            context: The context of its parent.
        """
        return {**context, **row}

    @override
    def steps(self, context: types.Context | None) -> Iterator[Step]:
        if context is None:
            return
        try:
            pages = self.prefetched_pages(context)
        except ApiError as error:
            if not self.skips(error, context):
                raise
            return
        for page in pages:
            rows = [self.complete(row, context) for row in page.rows]
            yield Step(rows, has_next_page=page.next_cursor is not None)

    @property
    @override
    def partitions(self) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """The contexts of the parents to read, from a walk over their list.

        The SDK takes the next context when it has written all rows of the last one.
        """
        return self.contexts_of(self.parent_steps())

    def contexts_of(self, steps: Iterator[Step]) -> Iterator[dict[str, Any]]:
        """Turn rows of the parent into contexts, and save the position between them.

        Args:
            steps: Rows of the parent.

        Yields:
            A context for each parent to read.
        """
        prefetcher = Prefetcher(self._start_pages, self.requests_in_flight)
        self._prefetcher = prefetcher
        try:
            for step in self.explain_page_errors(steps):
                parents = [
                    (row, dict(context))
                    for row in self._with_integer_ids(step.rows)
                    if (context := self.parent.get_child_context(row, None))
                ]
                prefetcher.expect(context for _, context in parents)
                for number, (_, context) in enumerate(parents, start=1):
                    yield context
                    if number % self.contexts_per_state == 0 and number < len(parents):
                        self._save_within_page(step, following=parents[number][0])
                self.save_parents(step.position)
        finally:
            prefetcher.close()

    @override
    def close(self) -> None:
        if self._prefetcher is not None:
            self._prefetcher.close()

    def skips(self, refusal: ApiError, context: types.Context) -> bool:  # noqa: ARG002 (others look)
        """Tell whether to skip a parent, and log why.

        Args:
            refusal: The response to the request for its rows.
            context: The context of the parent.
        """
        if refusal.status not in GONE:
            return False
        self.logger.info("%s It was deleted or merged: skipped.", refusal)
        return True

    def prefetched_pages(self, context: types.Context) -> Iterator[Page]:
        """Return the pages of a parent's rows, the first of which was prefetched.

        Args:
            context: The context of the parent.

        Raises:
            ApiError: If Gorgias refuses the first page.
        """
        if self._prefetcher is None:
            return self._start_pages(context)
        return self._prefetcher.take()

    def _start_pages(self, context: types.Context) -> Iterator[Page]:
        return started(self.pages(context))

    def save_parents(self, position: Position | None) -> None:
        """Save how far the list of the parent has been read.

        Args:
            position: A position in the list of the parent.
        """
        self.save(position)

    def _with_integer_ids(self, rows: list[Row]) -> Iterator[Row]:
        for row in rows:
            row_id = self.parent.converter.convert({"id": row.get("id")})["id"]
            if row_id is None:
                self.skip_record(self.parent)
            else:
                yield {**row, "id": row_id}

    def _save_within_page(self, step: Step, following: Row) -> None:
        before = step.page_position
        reached = ordering.timestamp_of(
            following.get(self.parent.replication_key or "")
        )
        if before is not None and before.walk is not None and reached is not None:
            walk = replace(before.walk, reached=reached)
            self.save_parents(replace(before, walk=walk))


class FeedChildStream(ChildStream[FeedStream], FeedStream, ABC):
    """One request for each row of a feed that changed, with a bookmark of its own."""

    @override
    def parent_steps(self) -> Iterator[Step]:
        plan = WalkPlan(self.position(), self.floor)
        return self.parent.walk(self, plan)
