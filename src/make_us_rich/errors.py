"""The exceptions of the desk, grouped by what the caller can do about them.

    MakeUsRichError
    ├── UsageError                  the request itself is wrong: correct it and call again
    │   ├── UnknownNameError        no such symbol, source, model or version
    │   └── ExperimentError         an experiment file or preset does not hold together
    ├── DataError                   candles are not fit for use: fetch or repair them
    │   ├── GapError
    │   └── NotEnoughHistoryError
    ├── SourceError                 a market source failed
    │   └── SourceUnavailableError  temporarily: wait and try again
    ├── StoreError                  the disk or a stored file refused: free it, or run another version
    ├── AccessError                 who asks may not
    │   ├── NotLoggedInError        nobody known asks: log in or send a token
    │   ├── NotAllowedError         somebody known asks for what is not theirs
    │   └── TooManyCallsError       not now: wait as long as it says
    ├── ArtifactError               a model folder is broken, foreign or half written: it is not used
    └── ForecastUnavailableError    nothing honest can be answered at this moment

`ValueError` stays what it is: a bad argument from our own code.
"""


class MakeUsRichError(Exception):
    """Anything the world did that the desk expected might happen; its text is one clear line."""


class UsageError(MakeUsRichError):
    """The request itself is wrong."""


class UnknownNameError(UsageError):
    """A symbol, source, model or version that does not exist."""


class ExperimentError(UsageError):
    """An experiment file or preset that does not hold together."""


class DataError(MakeUsRichError):
    """Candles that are not fit for use."""


class GapError(DataError):
    """More candles are missing than the fill rule allows."""


class NotEnoughHistoryError(DataError):
    """Fewer candles than the work needs."""


class SourceError(MakeUsRichError):
    """A market source answered with something unusable."""


class SourceUnavailableError(SourceError):
    """A market source cannot be reached now; trying again later may work."""


class StoreError(MakeUsRichError):
    """A stored file or its folder refused to be read or written."""


class AccessError(MakeUsRichError):
    """Who asks may not."""


class NotLoggedInError(AccessError):
    """Nobody known asks: a login, token, code or password is missing or wrong."""


class NotAllowedError(AccessError):
    """Somebody known asks for what is not theirs."""


class TooManyCallsError(AccessError):
    """Too many calls or attempts; the same may be tried again after `retry_after_seconds`."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ArtifactError(MakeUsRichError):
    """A model folder is broken, foreign or half written."""


class ForecastUnavailableError(MakeUsRichError):
    """Nothing honest can be answered at this moment."""
