"""A home that 0.1.0 left answers as it did then: every command, every route, key by key.

What is answered otherwise on purpose is said in `changed.py`.
"""

from pathlib import Path
from typing import Any

import pytest

from homes.changed import CHANGED, expected_answers
from homes.comparison import differences, kept
from homes.home_desk import HomeDesk
from homes.questions import COMMANDS, QUESTIONS, REQUESTS, Commands, Question, Requests

FOLDER = Path(__file__).parent / "0.1.0"
MOST_BYTES = 200_000


def _parameter(question: Question) -> Any:
    is_slow = isinstance(question, Commands) and question.is_slow
    return pytest.param(question, id=question.name, marks=[pytest.mark.slow] if is_slow else [])


def _check(desk: HomeDesk, record: dict[str, Any], question: Question) -> None:
    answers, places = desk.answers(question)
    found = kept(question.name, answers, places)
    wrong = differences(question.name, expected_answers(record, question.name), found)
    if wrong:
        pytest.fail(f"{question.name}\n  " + "\n  ".join(wrong), pytrace=False)
    if question.name in CHANGED and not differences(question.name, record[question.name], found):
        pytest.fail(f"{question.name} is answered as it was; take it out of changed.py", pytrace=False)


@pytest.mark.parametrize("question", [_parameter(one) for one in COMMANDS])
def test_a_command_answers_as_it_did(desk: HomeDesk, record: dict[str, Any], question: Commands) -> None:
    _check(desk, record, question)


@pytest.mark.parametrize("question", [_parameter(one) for one in REQUESTS])
def test_a_request_is_answered_as_it_was(desk: HomeDesk, record: dict[str, Any], question: Requests) -> None:
    _check(desk, record, question)


def test_every_recorded_question_is_asked(record: dict[str, Any]) -> None:
    assert {one.name for one in QUESTIONS} == set(record)


def test_every_change_is_of_a_question_that_is_asked(record: dict[str, Any]) -> None:
    assert set(CHANGED) <= set(record)


def test_every_route_was_asked(record: dict[str, Any]) -> None:
    """A route is asked where a request of its method fits its path."""
    (described,) = record["everybody: GET /openapi.json"]
    asked = {(call[0].lower(), call[1].partition("?")[0]) for one in REQUESTS for call in one.calls}
    missing = [
        f"{method} {path}"
        for path, methods in described["body"].items()
        for method in methods
        if not any(verb == method and _fits(path, found) for verb, found in asked)
    ]
    assert not missing


def test_the_record_stays_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= MOST_BYTES


def _fits(route: str, path: str) -> bool:
    parts, found = route.split("/"), path.split("/")
    return len(parts) == len(found) and all(
        part.startswith("{") or part == given for part, given in zip(parts, found, strict=True)
    )
