"""ZoeDepth: metric bins on top of a relative network."""
