"""Videos and cameras: their frames in, depth videos out."""
