"""Objects of scenes."""
