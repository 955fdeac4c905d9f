"""The machine around a model: cache, files, locks, cores and threads; nothing of depth in it."""
