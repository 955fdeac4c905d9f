"""TensorRT: engines built of model files, kept, read and run."""
