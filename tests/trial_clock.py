"""Clocks and sources for tests of the desk."""

from make_us_rich.errors import SourceUnavailableError


class JumpingClock:
    """A wall clock that arrives at once wherever somebody waits for, until its end."""

    def __init__(self, start, until):
        self.moment, self.until, self.waits = start, until, []

    def now(self):
        return self.moment

    def sleep_until(self, moment, stop):
        self.waits.append(moment)
        self.moment = max(self.moment, moment)
        return self.moment <= self.until and not stop.is_set()


class ChangedSource:
    """A source whose volumes are told differently than they were."""

    def __init__(self, source, volume):
        self.name, self.market = source.name, source.market
        self._source, self._volume = source, volume

    def fetch(self, symbol, timeframe, since, until):
        for page in self._source.fetch(symbol, timeframe, since, until):
            yield page.with_columns(volume=self._volume)


class LateSource:
    """A source whose newest candle appears only some time after it has closed."""

    def __init__(self, source, clock, delay):
        self.name, self.market = source.name, source.market
        self._source, self._clock, self._delay = source, clock, delay

    def fetch(self, symbol, timeframe, since, until):
        return self._source.fetch(symbol, timeframe, since, min(until, self._clock.now() - self._delay))


class AwaySource:
    """A source that cannot be reached."""

    def __init__(self, source):
        self.name, self.market = source.name, source.market

    def fetch(self, symbol, timeframe, since, until):
        raise SourceUnavailableError("the exchange is away; try again later")
