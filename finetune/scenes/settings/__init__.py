"""Settings: rooms, streets and close-ups, composed of objects and lights."""
