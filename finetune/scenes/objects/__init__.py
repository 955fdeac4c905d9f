"""Objects that stand in scenes."""
