"""The way of a request: plans, the drivers that run them, and what comes of a view's answer."""
