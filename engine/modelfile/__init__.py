"""Model files: the contract, the canary, the identity of a file, and the model that comes with depthrt."""
