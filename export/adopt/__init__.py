"""Depth ONNX files of others: read, probed, brought to our convention, and given a contract."""
