"""Judges networks by what fine-tuning is for: flat things stay flat, windows stay deep, the rest stays as it was."""
