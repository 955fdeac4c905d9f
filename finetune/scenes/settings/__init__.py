"""Settings: rooms, streets, close-ups and probes, composed of objects and lights."""
