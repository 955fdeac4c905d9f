"""Runners: the backends that run a model file, the choice of a runner, and the check of its answer."""
