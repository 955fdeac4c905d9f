"""The MiDaS networks: one kind of encoder a file, under the official names."""
