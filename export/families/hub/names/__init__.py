"""Names of tensors in the folders of transformers and others, and the official names."""
