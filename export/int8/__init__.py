"""The int8 graph of a file, and the layers that stay in floating point."""
