"""TensorRT: engines built of model files, kept, and read."""
