"""Bags out: rosbag2 in MCAP files, which are whole at any time."""
