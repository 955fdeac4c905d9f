"""The configs of a diffusers folder of Marigold."""
