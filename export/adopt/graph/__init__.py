"""The graph of an ONNX file of others: safe reading, its layout, and the nodes that bring it to our convention."""
