"""The ONNX graph of Marigold: an encoder, the steps around one set of weights, and a decoder."""
