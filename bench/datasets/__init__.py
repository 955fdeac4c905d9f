"""Data sets of images with measured depth: which files belong together, what their numbers mean."""
