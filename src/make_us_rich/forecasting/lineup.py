"""Who can be forecast in a market, by which kind, with which models and from which candles."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import structlog

from make_us_rich.errors import MakeUsRichError
from make_us_rich.forecasting.champions import Champions
from make_us_rich.forecasting.kind import CandleNeed, ForecastKind, ShelvedModels, Subject
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.forecasting.refusals import one_line, unknown_name
from make_us_rich.market.series import Series
from make_us_rich.registry.model_name import ModelName

_log = structlog.get_logger(__name__)


class Lineup:
    """The subjects of every kind, as they were last looked up, and the models in memory."""

    def __init__(self, view: MarketView, kinds: Mapping[str, ForecastKind]) -> None:
        self.kinds = kinds
        self.champions = Champions(view.shelf, kinds)
        self.subjects: dict[ModelName, Subject] = {}
        self._view = view

    def look_up(self) -> None:
        """Ask every kind again whom it can forecast."""
        self.subjects = {one.name: one for kind in self.kinds.values() for one in self._subjects_of(kind)}

    def find(self, name: ModelName) -> Subject:
        """Return the subject of a name, looked up again; `UnknownNameError` says what there is."""
        self.look_up()
        if name not in self.subjects:
            raise unknown_name(name, self._view)
        return self.subjects[name]

    def on(self, series: Series) -> list[Subject]:
        """Return the subjects whose next forecast a closed candle of a series makes due."""
        found = [one for one in self.subjects.values() if one.series == series]
        if not found:
            self.look_up()
            found = [one for one in self.subjects.values() if one.series == series]
        return found

    def follow(self, subjects: Iterable[Subject]) -> None:
        """Load the champions that moved, of some subjects and of what they are computed from."""
        read = (name for one in subjects for name in (one.name, *self._reads(one)))
        self.champions.follow(dict.fromkeys(map(str, read)))

    def kind(self, subject: Subject) -> ForecastKind:
        """Return the kind of a subject."""
        return self.kinds[subject.name.kind]

    def models(self, subject: Subject) -> ShelvedModels:
        """Return the models in memory that a subject is forecast with."""
        name = str(subject.name)
        others = {one: self.champions.artifact(str(one)) for one in self._reads(subject)}
        return ShelvedModels(self.champions.artifact(name), self.champions.newest(name), others)

    def needs(self, subject: Subject, models: ShelvedModels) -> Sequence[CandleNeed]:
        """Return the candles a subject is forecast from; none where its kind cannot say."""
        try:
            return self.kind(subject).needs(subject, models)
        except Exception as error:  # said again where the forecast is made, of this name and no other
            _log.debug("needs not known", name=str(subject.name), reason=one_line(error))
            return ()

    def _reads(self, subject: Subject) -> Collection[ModelName]:
        try:
            return self.kind(subject).reads(subject)
        except Exception as error:  # as in `needs`
            _log.debug("reads not known", name=str(subject.name), reason=one_line(error))
            return ()

    def _subjects_of(self, kind: ForecastKind) -> list[Subject]:
        try:
            return list(kind.subjects(self._view))
        except MakeUsRichError:
            raise
        except Exception as error:  # whatever a package of somebody else runs into stops no other kind
            _log.error("kind failed", kind=kind.name, reason=one_line(error))
            return [one for one in self.subjects.values() if one.name.kind == kind.name]
