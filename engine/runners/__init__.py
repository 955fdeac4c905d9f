"""Runners: each backend that can hold a model file, the choice of one, and the check of its answer."""
