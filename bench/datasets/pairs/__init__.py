"""Which image belongs to which depth: layouts of folders, lists and manifests, and the scene of each pair."""
