"""What is trained of a checkpoint: frozen parts, rates of layers, LoRA, memory, and what is merged in the end."""
