"""Training data: data sets written and read, pools of scenes, and batches."""
