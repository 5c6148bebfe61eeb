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


class ArtifactError(MakeUsRichError):
    """A model folder is broken, foreign or half written."""


class ForecastUnavailableError(MakeUsRichError):
    """Nothing honest can be answered at this moment."""
