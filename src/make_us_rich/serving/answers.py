"""Forecasts as bytes: written once when they are made, so that a request costs next to nothing."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from make_us_rich.errors import MakeUsRichError
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.kind import Served
from make_us_rich.forecasting.refusals import kind_failed
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.freshness import Freshness, require_answerable

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY

Content = Mapping[str, Any]


def to_json(content: object) -> bytes:
    """Return an answer as JSON; moments are UTC and end in Z, what is not a number is null."""
    return orjson.dumps(content, option=_OPTIONS)


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """What is said about a forecast, each part as JSON already; its age is added when it is asked for."""

    content: Mapping[str, orjson.Fragment]
    digest: str

    def aged(self, freshness: Freshness) -> orjson.Fragment:
        """Return the whole answer, to stand in another."""
        return orjson.Fragment(self.body(freshness))

    def body(self, freshness: Freshness) -> bytes:
        """Return the whole answer."""
        age = {"stale": freshness.is_stale, "age_seconds": freshness.age_seconds}
        return orjson.dumps({**self.content, **age})

    def etag(self, freshness: Freshness) -> str:
        """Return the validator, a weak one: the age in the body moves on, what it says does not."""
        return f'W/"{self.digest}{"-stale" if freshness.is_stale else ""}"'


@dataclass(frozen=True, slots=True)
class AnswerList:
    """Answers about several names, and why there is none about others."""

    answers: tuple[WrittenAnswer, ...]
    ages: tuple[Freshness, ...]
    problems: Mapping[ModelName, MakeUsRichError]

    def fragments(self) -> list[orjson.Fragment]:
        """Return the answers, to stand in another."""
        return [one.aged(age) for one, age in zip(self.answers, self.ages, strict=True)]

    def etags(self) -> str:
        """Return what changes with any of the answers."""
        return "".join(one.etag(age) for one, age in zip(self.answers, self.ages, strict=True))


class Answers:
    """The JSON of every forecast in service, of whatever kind, written when it is first asked for."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._written: dict[ModelName, tuple[Served, WrittenAnswer]] = {}

    def of(self, served: Served) -> WrittenAnswer:
        """Return the JSON of a forecast in service."""
        name = served.forecast.name
        known = self._written.get(name)
        if known is not None and known[0] is served:
            return known[1]
        written = write_answer(self._board, served)
        self._written[name] = (served, written)
        return written

    def list(
        self,
        kinds: Collection[str],
        asker: int | None,
        order: Callable[[Served], Any] = lambda served: str(served.forecast.name),
    ) -> AnswerList:
        """Return what can be said about every name of some kinds that somebody may see."""
        board = self._board
        problems = dict(board.problems(kinds))
        found: list[tuple[Served, Freshness]] = []
        for name, served in board.all_served(kinds).items():
            try:
                found.append((served, require_answerable(served, board.view)))
            except MakeUsRichError as error:
                problems[name] = error
            else:
                problems.pop(name, None)
        seen = [(one, age) for one, age in found if may_see(board, one.forecast.name, asker)]
        seen.sort(key=lambda pair: order(pair[0]))
        written: list[tuple[WrittenAnswer, Freshness]] = []
        for one, age in seen:
            try:
                written.append((self.of(one), age))
            except Exception as error:  # what a kind of a package runs into hides no other forecast
                problems[one.forecast.name] = kind_failed(one.forecast.name, error)
        return AnswerList(
            tuple(one for one, _ in written),
            tuple(age for _, age in written),
            {name: error for name, error in problems.items() if may_see(board, name, asker)},
        )


def may_see(board: Board, name: ModelName, asker: int | None) -> bool:
    """Say whether a user, or nobody in particular, may see a name: what has an owner is for the owner."""
    return board.is_seen_by(name, asker)


def write_answer(board: Board, served: Served) -> WrittenAnswer:
    """Return the JSON of a forecast."""
    view, kind = board.view, board.kinds[served.forecast.name.kind]
    content = {"market": view.market, "notice": view.notice, **kind.answer(served)}
    written = {key: to_json(value) for key, value in content.items()}
    digest = hashlib.sha256(b"\n".join(written.values())).hexdigest()[:20]
    return WrittenAnswer({key: orjson.Fragment(value) for key, value in written.items()}, digest)
