"""The figures of one answer on one image: flat parts, windows, leaked pictures, drift, and the nine metrics by region."""
