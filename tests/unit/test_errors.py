"""Errors contain enough information to act on, and no more."""

from __future__ import annotations

import pytest

from tap_gorgias.errors import (
    MAX_MESSAGE_CHARACTERS,
    ApiError,
    GorgiasError,
    OutputError,
    SettingsError,
    StateError,
    Terminated,
    TransientApiError,
)


def refused(reason: str = "No access.", advice: str = "") -> ApiError:
    """Return an error as the client raises it."""
    return ApiError(
        reason, stream="tickets", path="/api/tickets", status=403, advice=advice
    )


def test_a_refusal_names_stream_path_status_message_and_advice() -> None:
    """One line is enough to know what to do."""
    assert str(refused(advice="Grant it.")) == (
        "tickets: /api/tickets answered 403: No access. Grant it."
    )


def test_a_failure_without_answer_has_no_status() -> None:
    """There is no answer from which to take it."""
    error = ApiError("no answer.", stream="tickets", path="/api/tickets")
    assert str(error) == "tickets: /api/tickets failed: no answer."
    assert (error.stream, error.path, error.status) == ("tickets", "/api/tickets", None)


def test_an_error_has_its_parts_as_attributes() -> None:
    """Code uses them instead of the text."""
    error = refused()
    assert (error.stream, error.path, error.status) == ("tickets", "/api/tickets", 403)


@pytest.mark.parametrize("length", [400, 480, 500, 10_000])
@pytest.mark.parametrize("advice", ["", "Grant it."], ids=["no advice", "advice"])
def test_a_message_has_500_characters_at_most(length: int, advice: str) -> None:
    """Long messages of Gorgias are truncated; place and advice are not."""
    text = str(refused("x" * length, advice))
    assert len(text) <= MAX_MESSAGE_CHARACTERS == 500
    assert text.startswith("tickets: /api/tickets answered 403: x")
    assert text.endswith(advice or ("..." if length > 470 else "x."))


def test_a_message_is_truncated_no_more_than_necessary() -> None:
    """It has exactly the maximum length."""
    assert len(str(refused("x" * 10_000))) == 500


def test_a_message_is_one_line() -> None:
    """Line breaks in an answer cannot forge lines of the log."""
    assert "No access, really." in str(refused("No access,\r\n\t really.\n"))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ApiError("x", stream="t", path="/", status=400), True),
        (ApiError("x", stream="t", path="/", status=404), True),
        (ApiError("x", stream="t", path="/", status=410), True),
        (ApiError("x", stream="t", path="/", status=401), False),
        (ApiError("x", stream="t", path="/", status=403), False),
        (TransientApiError("x", stream="t", path="/", status=429), False),
        (TransientApiError("x", stream="t", path="/", status=500), False),
        (TransientApiError("x", stream="t", path="/"), False),
    ],
    ids=["400", "404", "410", "401", "403", "429", "500", "no answer"],
)
def test_a_refusal_may_be_due_to_the_cursor(*, error: ApiError, expected: bool) -> None:
    """Authentication errors and busy servers say nothing about a cursor."""
    assert error.may_be_due_to_cursor is expected


@pytest.mark.parametrize("status", [301, 302])
def test_a_redirect_is_reported_as_such(status: int) -> None:
    """Redirects are never followed, so they are errors."""
    error = ApiError("moved.", stream="tickets", path="/api/tickets", status=status)
    assert f"answered {status}" in str(error)


def test_each_problem_of_the_settings_has_its_line() -> None:
    """The command line shows one below the other."""
    error = SettingsError(["Setting `a` is wrong.", "Setting `b` is required."])
    assert list(error.lines) == ["Setting `a` is wrong.", "Setting `b` is required."]
    assert str(error) == "Setting `a` is wrong.; Setting `b` is required."


@pytest.mark.parametrize(
    "error",
    [SettingsError(["x"]), StateError("x"), OutputError("x"), refused()],
    ids=lambda error: type(error).__name__,
)
def test_every_error_raised_on_purpose_has_lines(error: GorgiasError) -> None:
    """A single base class is enough to report them all."""
    assert isinstance(error, GorgiasError)
    assert list(error.lines) == [str(error)]


@pytest.mark.parametrize(("number", "code"), [(15, 143), (2, 130)])
def test_a_signal_ends_the_process_with_the_code_of_shells(
    number: int, code: int
) -> None:
    """Orchestrators distinguish a stop from a failure by it."""
    assert Terminated(number).code == code


def test_a_signal_is_not_an_exception() -> None:
    """The SDK reports every `Exception` as a failed stream."""
    assert not isinstance(Terminated(15), Exception)
