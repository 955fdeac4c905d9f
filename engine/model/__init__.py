"""DepthModel: a model file loaded, proven by its canary, and ready for images."""
