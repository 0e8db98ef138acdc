"""The pictures of the documents show what the tap and the demo do now."""

from __future__ import annotations

import os

import pytest

from tests.pictures import FOLDER, PICTURES
from tests.support.documents import text


@pytest.mark.parametrize("name", PICTURES)
def test_the_picture_is_up_to_date(name: str) -> None:
    """Its file is what the code draws, and a document shows it."""
    file, drawn = FOLDER / f"{name}.svg", PICTURES[name]()
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        file.write_text(drawn, encoding="utf-8")
    assert file.read_text("utf-8") == drawn
    assert f"pictures/{name}.svg)" in text()
