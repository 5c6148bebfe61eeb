"""From a question to a shelved answer: experiment, fit, backtest, export."""
