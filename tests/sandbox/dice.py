"""Random choices that depend only on a key."""

from __future__ import annotations

from array import array
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

_LOW = 1 << 64


class Dice:
    """Draws from the hash of a key such as (seed, kind, id)."""

    __slots__ = ("_key", "_pool", "_refills")

    def __init__(self, *key: int | str) -> None:
        self._key = repr(key).encode()
        self._refills = 0
        self._pool = 0

    def roll(self, sides: int) -> int:
        """Return a number from 0 up to, not including, `sides`."""
        if self._pool < _LOW:
            salt = self._refills.to_bytes(8, "little")
            self._pool = int.from_bytes(blake2b(self._key, salt=salt).digest(), "big")
            self._refills += 1
        self._pool, result = divmod(self._pool, sides)
        return result

    def chance(self, percent: int) -> bool:
        """Return true with a probability in percent."""
        return self.roll(100) < percent

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.roll(len(options))]

    def maybe(self, percent: int, value: T) -> T | None:
        """Return the value with a probability in percent, otherwise None."""
        return value if self.chance(percent) else None


def words(seed: int, name: str, count: int) -> array[int]:
    """Return `count` random 64-bit numbers, for loops too long for `Dice`."""
    source = Random(f"{seed} {name}")  # noqa: S311 - made-up data, not a secret
    return array("Q", source.randbytes(8 * count))
