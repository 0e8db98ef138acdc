"""Render a page and save it as an image: `screenshot.py CHROMIUM URL FILE CHARTS`.

Waits until the page has that many charts, and prints its text.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

from websockets.sync.client import connect

LONGEST = 240
COUNT = """
(function count(root) {
  let found = root.querySelectorAll('canvas.marks, svg.marks').length;
  for (const one of root.querySelectorAll('*')) {
    if (one.shadowRoot) found += count(one.shadowRoot);
  }
  return found;
})(document)
"""
TEXT = """
(function text(root) {
  let found = root.body ? root.body.innerText : '';
  for (const one of root.querySelectorAll('*')) {
    if (one.shadowRoot) found += ' ' + one.shadowRoot.textContent;
  }
  return found;
})(document)
"""


class Page:
    """A tab of a browser."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.number = 0

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the browser."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.number:
                return answer["result"]

    def evaluate(self, expression: str) -> Any:
        """Evaluate JavaScript."""
        result = self.call("Runtime.evaluate", expression=expression)
        return result["result"].get("value")


def main(chromium: str, url: str, file: str, charts: str) -> None:
    """Render a page and save it."""
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--no-proxy-server")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        ports = Path(profile) / "DevToolsActivePort"
        browser = subprocess.Popen(  # noqa: S603
            [
                *(chromium, *options, "--remote-debugging-port=0"),
                *(f"--user-data-dir={profile}", "--window-size=1000,1850", url),
            ],
            stderr=subprocess.DEVNULL,
        )
        try:
            end = time.monotonic() + LONGEST
            while not ports.exists():
                time.sleep(0.1)
            port = ports.read_text().split()[0]
            opener = build_opener(ProxyHandler({}))
            with opener.open(f"http://127.0.0.1:{port}/json/list") as answer:
                [tab] = (one for one in json.load(answer) if one["type"] == "page")
            address = tab["webSocketDebuggerUrl"]
            with connect(address, max_size=None, proxy=None) as socket:
                page = Page(socket)
                while (page.evaluate(COUNT) or 0) < int(charts):
                    if time.monotonic() > end:
                        sys.exit(f"There are only {page.evaluate(COUNT)} charts.")
                    time.sleep(0.2)
                image = page.call("Page.captureScreenshot")["data"]
                Path(file).write_bytes(base64.b64decode(image))
                print(page.evaluate(TEXT))
        finally:
            browser.kill()
            browser.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
