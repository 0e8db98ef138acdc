"""Hypothesis strategies for any JSON value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

TEXTS = st.one_of(
    st.text(st.characters(), max_size=8),  # lone surrogates too
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.sampled_from(["0", "1", "true", "12", "-1.5", "1e400", "nan", "{}", "[1]"]),
    st.sampled_from(["2026-08-26T12:46:06+00:00", "2026-08-26", '{"a": 1}']),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
)
_TREES: SearchStrategy[object] = st.recursive(
    SCALARS,
    lambda values: st.one_of(
        st.lists(values, max_size=4), st.dictionaries(TEXTS, values, max_size=4)
    ),
    max_leaves=8,
)
# The recursive strategy alone rarely generates a bare scalar.
JSON_VALUES: SearchStrategy[object] = SCALARS | _TREES
