"""The build of a TensorRT plan from an ONNX file."""
