"""Evidence for trend forecasts: probabilities of an event in the coming days, against their baselines."""
