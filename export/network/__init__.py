"""The torch networks, which compute the published numbers and export to clean graphs."""
