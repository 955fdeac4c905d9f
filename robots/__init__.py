"""Robots: recorded bags in, bags with depth out; nothing of ROS needs to be installed."""
