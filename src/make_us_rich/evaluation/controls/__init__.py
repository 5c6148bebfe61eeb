"""Controls of the gate: questions whose true answer is known, to see whether the rule finds it."""
