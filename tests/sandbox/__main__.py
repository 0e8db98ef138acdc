"""Serve a generated shop from the command line."""

from __future__ import annotations

import argparse
import json
import sys
from threading import Event

from tests.sandbox import LIMITERS, Sandbox, Shop, auth
from tests.sandbox.deviations import DEVIATIONS

_DESCRIPTION = """\
Serve a stand-in for the Gorgias REST API on this machine, over a generated shop.
No account is needed, and nothing is sent anywhere. The same options give the
same rows, so two runs of a tap can be compared."""

_EPILOG = """\
examples:
  python -m tests.sandbox
      A small shop without a rate limit.
  python -m tests.sandbox --tickets 2000 --rate-limit 40/20 --latency 0.3
      A shop that feels like a real account with an API key.
  python -m tests.sandbox --rate-limit 80/20
      The rate limit of an OAuth app.
  python -m tests.sandbox --rate-limit 40/10 --limiter leaky
      An Enterprise plan, if the limit is the leaky bucket that is documented.

Point the tap at it with the printed settings. Stop it with Ctrl-C."""


def _rate(text: str) -> tuple[int, float]:
    """Parse a rate limit such as 40/20."""
    limit, _, seconds = text.partition("/")
    rate = int(limit), float(seconds or 20)
    if rate[0] < 1 or rate[1] <= 0:
        raise ValueError(text)
    return rate


def _parser() -> argparse.ArgumentParser:
    """Build the argument parser."""
    parser = argparse.ArgumentParser(
        "python -m tests.sandbox",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--port", type=int, default=8321, help="port; 0 takes a free one (%(default)s)")
    shop = parser.add_argument_group("the shop")
    add = shop.add_argument
    add("--seed", type=int, default=1, help="seed of the generated rows (%(default)s)")
    add("--tickets", type=int, default=200, metavar="N", help="(%(default)s)")
    add(
        "--messages-per-ticket",
        type=float,
        default=3.6,
        metavar="N",
        help="on average (%(default)s)",
    )
    add("--customers", type=int, default=120, metavar="N", help="(%(default)s)")
    add("--events", type=int, default=400, metavar="N", help="(%(default)s)")
    add(
        "--satisfaction-surveys",
        type=int,
        default=60,
        metavar="N",
        help="at most one per ticket (%(default)s)",
    )
    add("--users", type=int, default=12, metavar="N", help="(%(default)s)")
    add("--teams", type=int, default=3, metavar="N", help="(%(default)s)")
    add("--tags", type=int, default=25, metavar="N", help="(%(default)s)")
    add("--voice-calls", type=int, default=30, metavar="N", help="(%(default)s)")
    add(
        "--days",
        type=int,
        default=180,
        metavar="N",
        help="days of history (%(default)s)",
    )
    behaviour = parser.add_argument_group("how it answers")
    add = behaviour.add_argument
    add(
        "--rate-limit",
        type=_rate,
        metavar="REQUESTS/SECONDS",
        help="such as 40/20; excess requests get 429 (no limit)",
    )
    add(
        "--limiter",
        choices=LIMITERS,
        default="sliding",
        help="how requests are counted against the rate limit (%(default)s)",
    )
    add(
        "--latency",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="delay added to every answer (%(default)s)",
    )
    add(
        "--deviations",
        action="store_true",
        help="deviate from the documentation, so that `--test` reports differences",
    )
    return parser


def main() -> None:
    """Serve until interrupted."""
    options = vars(_parser().parse_args())
    port, latency = options.pop("port"), options.pop("latency")
    rate, kind = options.pop("rate_limit"), LIMITERS[options.pop("limiter")]
    limiter = kind(*rate) if rate else None
    deviations = DEVIATIONS if options.pop("deviations") else ()
    shop = Shop(**options)
    with Sandbox(shop, limiter=limiter, latency=latency, port=port) as sandbox:
        for deviate in deviations:
            deviate(sandbox)
        lines = (
            f"Serving a generated shop on {sandbox.url}",
            f"  e-mail:  {auth.EMAIL}",
            f"  API key: {auth.API_KEY}",
            "",
            "config.json for the tap:",
            json.dumps(sandbox.config, indent=2),
            "",
            "An OAuth app, to rehearse docs/oauth2.md (any redirect URI is accepted):",
            f"  client ID:     {auth.CLIENT_ID}",
            f"  client secret: {auth.CLIENT_SECRET}",
            f"  authorize at:  {sandbox.url}{auth.AUTHORIZE_PATH}",
            "",
            "Stop with Ctrl-C.",
        )
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        try:
            Event().wait()
        except KeyboardInterrupt:
            sys.stdout.write("Stopped.\n")


if __name__ == "__main__":
    main()
