"""Bags in: rosbag2 and ROS 1, whole or cut off; messages as CDR bytes out."""
