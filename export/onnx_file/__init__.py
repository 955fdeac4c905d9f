"""ONNX files on disk: weights beside them, half storage, temporary folders."""
