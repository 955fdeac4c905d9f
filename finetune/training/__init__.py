"""Training: losses, the optimiser, the loop and its state."""
