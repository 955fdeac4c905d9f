"""Checkpoints become ONNX files: torch and onnx live here."""
