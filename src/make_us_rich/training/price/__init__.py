"""Training price models: a recipe walked forward, refitted, exported and judged per horizon."""
