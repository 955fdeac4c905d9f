"""The published models of each family, one file a family, without torch."""
