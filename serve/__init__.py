"""The service: images arrive over HTTP, depth goes back; folders stand in the order that a request meets them."""
