"""Frames of a data set with mirrors, pictures, openings and dark screens whose depth is true."""
