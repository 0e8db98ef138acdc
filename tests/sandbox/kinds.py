"""The collections that need no class of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from tests.sandbox.collection import Collection, Row
from tests.sandbox.rows import people, records, setup
from tests.sandbox.rows.views import rule, view

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.sandbox.shop import Shop


@dataclass
class Kind:
    """Generates a collection of a shop when it is first used."""

    object_type: str
    first_id: int
    make: Callable[[Shop, int, int, int], Row]  # shop, id, created, updated
    count: int = 0  # rows in each shop; if 0, the shop knows it
    changes: bool = True

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember the name of the attribute."""
        self.name = name

    @overload
    def __get__(self, shop: None, owner: type) -> Kind: ...

    @overload
    def __get__(self, shop: Shop, owner: type) -> Collection: ...

    def __get__(self, shop: Shop | None, owner: type) -> Kind | Collection:
        """Return the collection, which is always the same one."""
        if shop is None:
            return self
        with shop.lock:
            if self.name not in vars(shop):
                vars(shop)[self.name] = self._collection(shop)
        found: Collection = vars(shop)[self.name]
        return found

    def _collection(self, shop: Shop) -> Collection:
        created, updated = shop.history(self.name)
        changed = updated if self.changes else created
        return Collection(
            shop,
            self.object_type,
            first_id=self.first_id,
            count=shop.sizes[self.name],
            make=lambda n, row_id: self.make(shop, row_id, created()[n], changed()[n]),
            make_new=lambda row_id, timestamp: self.make(
                shop, row_id, timestamp, timestamp
            ),
            timestamps={"created_datetime": created},
        )


def _unchanging(
    object_type: str,
    first_id: int,
    make: Callable[[Shop, int, int], Row],
    count: int = 0,
) -> Kind:
    """Describe a collection without updated_datetime."""
    return Kind(
        object_type,
        first_id,
        lambda shop, row_id, created, _: make(shop, row_id, created),
        count,
        changes=False,
    )


class SimpleCollections:
    """Each attribute is a collection; a size is that in any account."""

    custom_fields = Kind("CustomField", 319_825, setup.custom_field, 12)
    events = _unchanging("Event", 2_190_000_003, records.event)
    integrations = Kind("Integration", 126_640, setup.integration, 7)
    jobs = _unchanging("Job", 1_551_001, setup.job, 20)
    macros = Kind("Macro", 374_001, setup.macro, 40)
    rules = Kind("Rule", 120_977, rule, 8)
    tags = _unchanging("Tag", 1_812_970, records.tag)
    teams = _unchanging("Team", 4_001, people.team)
    users = Kind("User", 519_000_001, people.user)
    views = _unchanging("View", 1_177_001, view, 10)
    widgets = Kind("Widget", 88_001, setup.widget, 8)


KINDS: Mapping[str, Kind] = {
    name: kind
    for name, kind in vars(SimpleCollections).items()
    if isinstance(kind, Kind)
}
