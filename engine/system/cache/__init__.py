"""The cache: its folder, the JSON that is remembered in it, compiled models, and a lock between processes."""
