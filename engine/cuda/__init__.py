"""The GPU without torch: driver, memory, streams, graphs, our kernels, and the pipeline around a network."""
