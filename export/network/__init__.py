"""The torch networks, exact to the published numbers and clean to export."""
