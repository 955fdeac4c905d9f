"""Int8: ranges from images, the choice of layers, and the graph that computes in int8."""
