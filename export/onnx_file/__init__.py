"""ONNX files on the disk: weights beside, half storage, and the scratch folder."""
