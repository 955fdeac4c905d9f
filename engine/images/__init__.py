"""Images: read, checked, brought to the network's input, and written."""
