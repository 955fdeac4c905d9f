"""The figures of one answer on one image: flat parts, windows, leaks, drift, and the nine metrics by region."""
