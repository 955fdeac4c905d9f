"""What a request is held to before it is read: the key, the size and the time of its body."""
