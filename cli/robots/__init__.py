"""The verbs for robots: bags with depth."""
