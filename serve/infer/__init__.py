"""The models that are served, and the stages of a request inside a worker."""
