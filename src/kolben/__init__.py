"""Flask's programming model on an async-first core."""
