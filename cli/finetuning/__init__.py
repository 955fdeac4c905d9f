"""The longer verbs of `depthrt finetune`, a file each."""
