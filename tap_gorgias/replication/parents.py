"""Parents whose rows could not be read: left out, remembered and asked for again.

One parent that fails is one parent. But several in a row without an answer are an
outage, and a parent that the list still shows is not gone, whatever its status.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_gorgias.errors import ApiError, TransientApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from tap_gorgias.replication.bookmarks import Position

MAX_RETRIES = 100
"""Limit of ids in STATE."""
MAX_UNANSWERED = 3
"""Parents in a row without an answer that make an outage."""
MAX_GONE = 10
"""Parents in a row that are gone before the list is asked for them."""
ENDS_STREAM = {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}
GONE = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.NOT_FOUND}
"""The status for a parent that was merged or deleted in the meantime."""


@dataclass
class Parents:
    """What became of the parents that a stream has asked for."""

    position: Position
    """How far they have been read, without those in `retry`."""
    retry: dict[int, None]
    """The ids that could not be read, also by earlier runs."""
    gone_statuses: Collection[int]
    """The status for a parent that was merged or deleted."""
    may_be_private: bool
    """Whether a 403 may concern a single parent."""
    on_failure: Callable[[int, ApiError], None]
    """Called for a parent that is left out, kept in `retry` or not."""
    listed: Callable[[Sequence[int]], Collection[int]]
    """Returns those of the ids that the list of parents still shows."""
    gone: list[int] = field(default_factory=list)
    """Those that were deleted or merged."""
    is_full: bool = False
    """Whether a parent did not fit into `retry`, so that the position is held there."""
    _waiting: Position | None = None
    _unanswered: list[tuple[int, ApiError]] = field(default_factory=list)
    _perhaps_gone: list[tuple[int, ApiError]] = field(default_factory=list)
    _until_check: int = MAX_GONE
    _has_answered: bool = False
    _has_read: bool = False

    def saved(self, after: Position | None) -> Position | None:
        """Return the position to save after a parent, and after those before it.

        None until it is known what became of each.
        """
        self._waiting = after or self._waiting
        if after is None or self.is_full or self._unanswered or self._perhaps_gone:
            return None
        self.position, self._waiting = after, None
        return replace(after, retry=tuple(self.retry))

    def end(self) -> Position | None:
        """Decide on the last parents, and return the position to save if it waited."""
        self.settle()
        if self._waiting is not None and not self.is_full:
            return self.saved(self._waiting)
        return self._waiting and replace(self.position, retry=tuple(self.retry))

    def read(self, parent: int) -> None:
        """Note that all rows of a parent have been read."""
        self._has_answered = self._has_read = True
        self.retry.pop(parent, None)
        self.settle()

    def fail(self, parent: int, error: ApiError, *, is_retried: bool) -> None:
        """Note that the rows of a parent cannot be read.

        Raises `error` if it concerns more than this parent. `is_retried` says whether
        an earlier run has left the parent out.
        """
        status = error.status
        is_first = not (self._has_answered or self.may_be_private)
        is_forbidden = is_first and status == HTTPStatus.FORBIDDEN
        if status in ENDS_STREAM or is_forbidden:
            raise error
        if status in self.gone_statuses:
            self._has_answered = True
            self._leave_out_unanswered()
            self._perhaps_gone.append((parent, error))
            if len(self._perhaps_gone) >= self._until_check:
                self._check_gone()
        elif isinstance(error, TransientApiError) and not is_retried:
            self._unanswered.append((parent, error))
            if len(self._unanswered) >= MAX_UNANSWERED:
                raise error
        else:
            self._has_answered |= not isinstance(error, TransientApiError)
            self.settle()
            self._leave_out(parent, error)

    def settle(self) -> None:
        """Decide on the parents before: those without an answer fail for good."""
        self._leave_out_unanswered()
        self._accept_gone()

    def check_page(self, parents: int) -> None:
        """Ask the list for the parents of a page, if all of them seem to be gone."""
        if self._perhaps_gone and len(self._perhaps_gone) >= parents:
            self._check_gone()

    def _check_gone(self) -> None:
        """Raise `ApiError` if the list still shows a parent that seems to be gone."""
        shown = set(self.listed([parent for parent, _ in self._perhaps_gone]))
        for parent, error in self._perhaps_gone:
            if parent in shown:
                reason = (
                    f"the list still shows {parent}, so a permission is probably "
                    "missing."
                )
                raise ApiError(
                    reason, stream=error.stream, path=error.path, status=error.status
                )
        self._accept_gone()
        self._until_check = MAX_RETRIES

    def _accept_gone(self) -> None:
        for parent, _ in self._perhaps_gone:
            self.gone.append(parent)
            self.retry.pop(parent, None)
        self._perhaps_gone.clear()

    def _leave_out_unanswered(self) -> None:
        for parent, error in self._unanswered:
            self._leave_out(parent, error)
        self._unanswered.clear()

    def _leave_out(self, parent: int, error: ApiError) -> None:
        if parent not in self.retry:
            if len(self.retry) < MAX_RETRIES:
                self.retry[parent] = None
            elif self._has_read:
                self.is_full = True
            else:
                raise error  # None can be read.
        self.on_failure(parent, error)
