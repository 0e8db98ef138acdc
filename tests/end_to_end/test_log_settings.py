"""Environment variables that set up the log are checked like settings."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("variable", "value", "content"),
    [
        ("TAP_GORGIAS_LOGLEVEL", "LOUD", ""),
        ("LOGLEVEL", "10", ""),
        ("SINGER_SDK_LOG_CONFIG", "", ""),
        ("SINGER_SDK_LOG_CONFIG", "log.yml", ""),
        ("SINGER_SDK_LOG_CONFIG", "log.yml", "version: 1\nroot: ["),
        ("SINGER_SDK_LOG_CONFIG", "log.yml", "version: 2"),
    ],
)
def test_an_invalid_setting_of_the_log_is_reported_in_one_line(
    tmp_path: Path, variable: str, value: str, content: str
) -> None:
    """It is read before the command line, and before there is a log."""
    (tmp_path / "log.yml").write_text(content)
    result = subprocess.run(
        [sys.executable, "-m", "tap_gorgias", "--version"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, variable: value},
    )

    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert f"`{variable}`" in line
