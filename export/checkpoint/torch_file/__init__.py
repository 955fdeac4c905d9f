"""Files of torch.save, read without running anything in them: pickles, stand-ins for objects, containers."""
