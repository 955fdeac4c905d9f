"""The machine of a run: its description, ceilings, energy, memory and cold starts."""
