"""Light: shading, shadows and exposure."""
