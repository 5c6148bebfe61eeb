"""The standard normal distribution at the levels of a forecast."""

from statistics import NormalDist

import numpy as np

from make_us_rich.models.quantiles import QUANTILE_LEVELS

NORMAL_QUANTILES = np.array([NormalDist().inv_cdf(level) for level in QUANTILE_LEVELS])
