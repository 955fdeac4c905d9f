"""Subjects: whatever turns images into depth and can be measured."""
