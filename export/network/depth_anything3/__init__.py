"""Depth Anything 3 for one view: a DINOv2 encoder whose later blocks know places, with a DPT head."""
