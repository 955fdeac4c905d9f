"""The newest frame of a live source: its depth is never older than a frame and an inference."""
