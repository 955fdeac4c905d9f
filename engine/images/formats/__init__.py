"""Formats of images: what OpenCV, Pillow and libtiff leave open about one of them."""
