"""Bodies of requests in, images and checked options out."""
