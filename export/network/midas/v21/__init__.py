"""MiDaS v2.1, large and small: convolutional encoders with a RefineNet decoder."""
