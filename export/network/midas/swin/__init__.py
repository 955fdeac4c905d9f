"""MiDaS with Swin transformers, which attend inside windows: square images of one size only."""
