"""Resizes of an image to the network's input and of its output to the image, each as one upstream computes it."""
