"""The families of networks: one file a family, and a table of them all."""
