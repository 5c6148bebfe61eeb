"""Training trend models: a pool of candidates per coin and direction, judged alone and together."""
