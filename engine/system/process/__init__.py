"""A process as a whole: its signals, its threads, and what its libraries may report."""
