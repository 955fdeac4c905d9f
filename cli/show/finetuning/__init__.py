"""Prints of the verbs of `depthrt finetune`."""
