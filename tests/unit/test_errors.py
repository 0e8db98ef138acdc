"""Errors contain enough information to act on, and no more."""

from __future__ import annotations

import pytest

from tap_gorgias.errors import (
    MAX_MESSAGE_CHARACTERS,
    ApiError,
    OutputError,
    SettingsError,
    StateError,
    Terminated,
    TransientApiError,
    messages_of,
)


def refused(reason: str = "No access.", advice: str = "") -> ApiError:
    """Return an error as the client raises it."""
    return ApiError(
        reason, stream="tickets", path="/api/tickets", status=403, advice=advice
    )


def test_a_refusal_names_stream_path_status_message_and_advice() -> None:
    """One line is enough to know what to do; code uses the parts."""
    error = refused(advice="Grant it.")
    assert str(error) == "tickets: /api/tickets answered 403: No access. Grant it."
    assert (error.stream, error.path, error.status) == ("tickets", "/api/tickets", 403)


def test_a_failure_without_answer_has_no_status() -> None:
    """There is no answer from which to take it."""
    error = ApiError("no answer.", stream="tickets", path="/api/tickets")
    assert str(error) == "tickets: /api/tickets failed: no answer."
    assert error.status is None


@pytest.mark.parametrize("length", [400, 480, 500, 10_000])
@pytest.mark.parametrize("advice", ["", "Grant it."], ids=["no advice", "advice"])
def test_a_message_has_500_characters_at_most(length: int, advice: str) -> None:
    """Long messages of Gorgias are truncated; place and advice are not."""
    text = str(refused("x" * length, advice))
    assert len(text) <= MAX_MESSAGE_CHARACTERS == 500
    assert len(text) == 500 or length < 480
    assert text.startswith("tickets: /api/tickets answered 403: x")
    assert text.endswith(advice or ("..." if length > 470 else "x."))


def test_a_message_is_one_line() -> None:
    """Line breaks in an answer cannot forge lines of the log."""
    assert "No access, really." in str(refused("No access,\r\n\t really.\n"))


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        (ApiError, 400, True),
        (ApiError, 404, True),
        (ApiError, 410, True),
        (ApiError, 401, False),
        (ApiError, 403, False),
        (TransientApiError, 429, False),
        (TransientApiError, 500, False),
        (TransientApiError, None, False),
    ],
)
def test_a_refusal_may_be_due_to_the_cursor(
    *, kind: type[ApiError], status: int | None, expected: bool
) -> None:
    """Authentication errors and busy servers say nothing about a cursor."""
    error = kind("x", stream="t", path="/", status=status)
    assert error.may_be_due_to_cursor is expected


def test_each_problem_of_the_settings_has_its_line() -> None:
    """The command line shows one below the other."""
    problems = ["Setting `a` is wrong.", "Setting `b` is required."]
    assert messages_of(SettingsError(problems)) == problems


@pytest.mark.parametrize(
    "error",
    [StateError("x"), OutputError("x"), refused()],
    ids=lambda error: type(error).__name__,
)
def test_every_error_raised_on_purpose_is_shown(error: Exception) -> None:
    """Its message is safe; that of any other exception is not."""
    assert messages_of(error) == [str(error)]


def test_a_signal_ends_the_process_with_the_code_of_shells() -> None:
    """The SDK, which reports every `Exception` as a failed stream, lets it pass."""
    assert Terminated(15).code == 143
    assert not isinstance(Terminated(15), Exception)
