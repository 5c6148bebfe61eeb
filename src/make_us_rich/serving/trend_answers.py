"""Trends in the shape the API and the command line answer them: a list, the most probable first."""

from collections.abc import Mapping
from typing import Any

from make_us_rich.errors import MakeUsRichError, UnknownNameError
from make_us_rich.features.trend_labels import Direction
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.kind import Served
from make_us_rich.forecasting.trend.kind import TREND_KINDS, direction_of
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.answers import AnswerList, Answers
from make_us_rich.serving.freshness import require_answerable


def trend_list(board: Board, answers: Answers, direction: Direction | None, asker: int | None) -> AnswerList:
    """Return every trend of a direction, or of both; those that are too old are named as unavailable."""
    board.complete()
    kinds = TREND_KINDS if direction is None else (f"trend-{direction}",)
    return answers.list(kinds, asker, order=_most_probable_first)


def trends_of(board: Board, answers: Answers, symbol: Symbol, timeframe: Timeframe) -> AnswerList:
    """Return the trends of one coin; if none is young enough, why not is raised."""
    served, problems = served_trends(board, [ModelName(kind, symbol, timeframe) for kind in TREND_KINDS])
    served.sort(key=_most_probable_first)
    ages = tuple(require_answerable(one, board.view) for one in served)
    return AnswerList(tuple(answers.of(one) for one in served), ages, problems)


def served_trends(
    board: Board, names: list[ModelName]
) -> tuple[list[Served], Mapping[ModelName, MakeUsRichError]]:
    """Return those of some trends that can be answered; if none can, what stands in the way is raised."""
    board.complete()
    found: list[Served] = []
    problems: dict[ModelName, MakeUsRichError] = {}
    known_problems = board.problems(TREND_KINDS)
    for name in names:
        served = board.served(name)
        try:
            if served is None:
                raise known_problems.get(name, _not_stored(name))
            require_answerable(served, board.view)
            found.append(served)
        except MakeUsRichError as error:
            problems[name] = error
    if not found:
        raise next(iter(problems.values()))
    # a trend that is not there at all is no problem of a coin that has the other
    return found, {name: error for name, error in problems.items() if board.served(name) is not None}


def list_content(board: Board, found: AnswerList) -> dict[str, Any]:
    """Return a list of trends as an answer."""
    return {
        "market": board.view.market,
        "notice": board.view.notice,
        "trends": found.fragments(),
        "unavailable": [_unavailable(name, found.problems[name]) for name in sorted(found.problems, key=str)],
    }


def _most_probable_first(served: Served) -> tuple[float, str]:
    return -(served.forecast.steps[0].probability or 0.0), str(served.forecast.name)


def _not_stored(name: ModelName) -> UnknownNameError:
    return UnknownNameError(
        f"{name.symbol} {name.timeframe}: no candles are stored; "
        f"run `mur fetch {name.symbol} --timeframe {name.timeframe}`"
    )


def _unavailable(name: ModelName, error: MakeUsRichError) -> dict[str, str]:
    return {
        "symbol": str(name.symbol),
        "timeframe": str(name.timeframe),
        "direction": direction_of(name),
        "reason": str(error),
    }
