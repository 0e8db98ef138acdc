"""A table of the collections that need no class of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.sandbox.collection import Collection, Row
from tests.sandbox.rows import people, records, setup, views

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.sandbox.shop import Shop


@dataclass(frozen=True)
class Kind:
    """How to generate a collection."""

    object_type: str
    first_id: int
    make: Callable[[Shop, int, int, int], Row]  # shop, id, created, updated
    changes: bool = True

    def collection(self, shop: Shop, name: str) -> Collection:
        """Generate the collection of a shop."""
        created, updated = shop.history(name)
        changed = updated if self.changes else created
        return Collection(
            shop,
            self.object_type,
            first_id=self.first_id,
            count=shop.sizes[name],
            make=lambda n, row_id: self.make(shop, row_id, created()[n], changed()[n]),
            make_new=lambda row_id, timestamp: self.make(
                shop, row_id, timestamp, timestamp
            ),
            timestamps={"created_datetime": created},
        )


def _unchanging(
    object_type: str, first_id: int, make: Callable[[Shop, int, int], Row]
) -> Kind:
    """Describe a collection without updated_datetime."""
    return Kind(
        object_type,
        first_id,
        lambda shop, row_id, created, _: make(shop, row_id, created),
        changes=False,
    )


KINDS: Mapping[str, Kind] = {
    "custom_fields": Kind("CustomField", 319_825, setup.custom_field),
    "events": _unchanging("Event", 2_190_000_003, records.event),
    "integrations": Kind("Integration", 126_640, setup.integration),
    "jobs": _unchanging("Job", 1_551_001, setup.job),
    "macros": Kind("Macro", 374_001, setup.macro),
    "rules": Kind("Rule", 120_977, views.rule),
    "tags": _unchanging("Tag", 1_812_970, records.tag),
    "teams": _unchanging("Team", 4_001, people.team),
    "users": Kind("User", 519_000_001, people.user),
    "views": _unchanging("View", 1_177_001, views.view),
    "widgets": Kind("Widget", 88_001, setup.widget),
}

# Sizes of collections that are small in every account.
SMALL_COLLECTIONS: Mapping[str, int] = {
    "custom_fields": 12,
    "integrations": 7,
    "jobs": 20,
    "macros": 40,
    "rules": 8,
    "views": 10,
    "widgets": 8,
}
