"""ROS 2 messages: pictures and cameras in, depth out."""
