"""The bounded queue in which accepted requests wait for a worker."""
