"""What operators see: metrics, log lines, request ids."""
