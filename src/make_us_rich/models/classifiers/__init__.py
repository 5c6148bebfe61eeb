"""Ten classifiers of a trend: fitted on indicators, calibrated on later rows, written as ONNX."""
