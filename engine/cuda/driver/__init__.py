"""The CUDA driver through pycuda and ctypes: contexts, memory, streams, events, graphs."""
