"""Who asks, and what they get back: the API, the worker, the stores and the pages."""
