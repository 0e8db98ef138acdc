"""The pictures of the documents, as SVG: `UPDATE_SNAPSHOTS=1 pytest tests/contract`.

The screen of the demo is drawn from what it printed once, which a test compares:
`python3 tests/demo.py | sed '/^Tables/,$d' > docs/pictures/demo.txt`. A walk and the
sizes of tables are drawn from runs against the sandbox.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import pytest

from tests.benchmarks.costs import EVENTS_PER_TICKET, SHOPS
from tests.sandbox import Fault, Sandbox, Shop
from tests.support.runs import PartialRun, run

if TYPE_CHECKING:
    from tests.support.runs import Output

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
SCREEN = FOLDER / "demo.txt"
MONOSPACE = "ui-monospace, Menlo, Consolas, monospace"
SANS = "system-ui, Helvetica, Arial, sans-serif"
INK, FAINT, PAPER = "#1f2328", "#8c959f", "#ffffff"
COLOURS = ("#0969da", "#bc4c00", "#1a7f37")
MEDIUM = SHOPS[1]
ROWS = {
    "ticket_messages": MEDIUM.messages,
    "events": MEDIUM.tickets * EVENTS_PER_TICKET,
    "customers": 3 * MEDIUM.tickets,
    "tickets": MEDIUM.tickets,
}
"""The rows of the account of the table of costs."""
SHOWN = (
    *("A Gorgias", "1  ", "5  ", "   stream                  rows: "),
    *("   Small tables", "7  ", "   Satisfaction"),
)
"""How the parts of the screen begin that the picture shows."""
NOTES = (
    "Each bar is a request for tickets, from left to right, with its number of rows.",
    "The 2nd run finishes the walk of the 1st, then reads what changed since it began.",
)


class Drawing:
    """Shapes on white paper."""

    def __init__(self, width: float, height: float, title: str) -> None:
        size = f'width="{width:g}" height="{height:g}"'
        size = f'{size} viewBox="0 0 {width:g} {height:g}"'
        space = "http://www.w3.org/2000/svg"
        head = f'<svg xmlns="{space}" {size} role="img" font-family="{SANS}">'
        self._lines = [head, f"<title>{escape(title)}</title>"]
        self.box(0, 0, width, height, PAPER)

    def box(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        """Draw a rectangle."""
        size = f'width="{width:g}" height="{height:g}"'
        self._lines.append(f'<rect x="{x:g}" y="{y:g}" {size} fill="{fill}"/>')

    def text(
        self, x: float, y: float, text: str, fill: str = INK, more: str = ""
    ) -> None:
        """Write a text whose baseline begins at a point."""
        place = f'x="{x:g}" y="{y:g}" font-size="13" fill="{fill}"'
        self._lines.append(f"<text {place}{more}>{escape(text)}</text>")

    def svg(self) -> str:
        """Return the file."""
        return "\n".join([*self._lines, "</svg>", ""])


def screen() -> str:
    """Draw what the demo prints of its steps, its second run, and one model."""
    parts = SCREEN.read_text("utf-8").split("\n\n")
    shown = [one for one in parts if one.startswith(SHOWN)]
    lines = "\n\n".join(shown).split("\n")
    advance, height = 7.8, 17
    width = max(map(len, lines)) * advance + 32
    drawing = Drawing(width, len(lines) * height + 28, "The screen of the demo")
    for number, line in enumerate(lines):
        if text := line.rstrip():
            head = len(text) - len(text.lstrip())
            width = (len(text) - head) * advance
            style = f' font-family="{MONOSPACE}" xml:space="preserve"'
            style += f' textLength="{width:g}" lengthAdjust="spacingAndGlyphs"'
            x, y = 16 + head * advance, 26 + number * height
            drawing.text(x, y, text.lstrip(), more=style)
    return drawing.svg()


def pages_of(output: Output) -> list[list[str]]:
    """Return the dates of each page of tickets of a run."""
    pages: list[list[str]] = [[]]
    for message in output.messages:
        if message["type"] == "STATE" and pages[-1]:
            pages.append([])
        elif message["type"] == "RECORD":
            pages[-1].append(message["record"]["updated_datetime"])
    return [page for page in pages if page]


def three_runs() -> list[list[list[str]]]:
    """Return the pages of a first sync that stops, and of the two runs after it."""
    with Sandbox(Shop(seed=8, tickets=800)) as sandbox:

        def an_hour_passes(changed: int) -> None:
            sandbox.shop.advance(3_600)
            for ticket in sandbox.shop.tickets.ids()[:changed]:
                sandbox.shop.tickets.update(ticket, status="closed")

        sandbox.faults.add(Fault.error(403), "/api/tickets", after=5)
        with pytest.raises(PartialRun) as stopped:
            run(sandbox.config, "tickets")
        sandbox.reset_counters()
        outputs = [stopped.value.output]
        for changed in (150, 100):
            an_hour_passes(changed)
            outputs.append(run(sandbox.config, "tickets", state=outputs[-1].state))
    return [pages_of(output) for output in outputs]


def walk() -> str:
    """Draw the requests of three runs in their order, and the rows that each reads."""
    runs = three_runs()
    dates = {date for one in runs for page in one for date in page}
    newest_first = enumerate(sorted(dates, reverse=True))
    y_of = {date: 64 + 300 * number / len(dates) for number, date in newest_first}
    step, x = 48, 130.0
    drawing = Drawing(
        x + step * sum(map(len, runs)) + 50, 424, "Requests of three runs"
    )
    drawing.text(16, 76, "newest change")
    drawing.text(16, 364, "oldest change")
    heads = ("1st run, stopped", "2nd run, an hour later", "3rd run")
    for pages, head, colour in zip(runs, heads, COLOURS, strict=True):
        drawing.text(x, 44, head, colour)
        drawing.box(x - 8, 54, 1, 318, FAINT)
        for page in pages:
            top, end = y_of[page[0]], y_of[page[-1]]
            drawing.box(x, top, step - 10, max(end - top, 3), colour)
            drawing.text(x, end + 15, f"{len(page)}", FAINT)
            x += step
        x += 14
    for number, note in enumerate(NOTES):
        drawing.text(16, 396 + 18 * number, note, FAINT)
    return drawing.svg()


def bytes_per_row() -> dict[str, float]:
    """Return the average size of a row as the tap writes it, rounded to two digits."""
    shop = Shop(tickets=200, customers=600, events=200 * EVENTS_PER_TICKET)
    with Sandbox(shop) as sandbox:
        messages = run(sandbox.config, *ROWS).messages
    sizes: dict[str, list[int]] = {name: [] for name in ROWS}
    for one in messages:
        if one["type"] == "RECORD":
            line = json.dumps(one, separators=(",", ":"))
            sizes[one["stream"]].append(len(line) + 1)
    return {name: float(f"{mean(found):.1e}") for name, found in sizes.items()}


def sizes() -> str:
    """Draw how large the output is for the account of the table of costs."""
    drawing = Drawing(720, 40 + 34 * len(ROWS), "Output for 100,000 tickets")
    found = [(ROWS[name] * size, name, size) for name, size in bytes_per_row().items()]
    found.sort(reverse=True)
    for number, (total, name, size) in enumerate(found):
        width, y = 240 * total / found[0][0], 24 + 34 * number
        drawing.text(16, y + 16, name)
        drawing.box(150, y, width, 22, COLOURS[0])
        note = f"{total / 1e9:.2f} GB: {ROWS[name]:,} rows of {size:,.0f} bytes"
        drawing.text(158 + width, y + 16, note)
    return drawing.svg()


PICTURES = {"demo": screen, "sizes": sizes, "walk": walk}
