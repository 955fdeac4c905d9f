"""`depthrt models` and `depthrt fetch`, and the options by which other verbs fetch."""
