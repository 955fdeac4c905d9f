"""A ROS 2 node: the depth of the newest image, in the image's own size, stamp and frame; inverse depth is never metres.

python depth_node.py metric.onnx --ros-args -r image_raw:=/front/image_raw
"""

import sys
from array import array
from contextlib import suppress

import numpy as np
import rclpy
from numpy.typing import NDArray
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Header

import depthrt


def to_bgr(message: Image) -> NDArray[np.uint8]:
    """Return the picture of a message, (H, W, 3) BGR; its rows may be padded."""
    if message.encoding not in ("bgr8", "rgb8"):
        raise depthrt.InputError(f"encoding {message.encoding} found, expected bgr8 or rgb8; use image_proc")
    rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
    pixels = rows[:, : 3 * message.width].reshape(message.height, message.width, 3)
    return np.ascontiguousarray(pixels if message.encoding == "bgr8" else pixels[..., ::-1])


def to_message(depth: depthrt.Depth, header: Header) -> Image:
    """Return the message of a depth, 32FC1; NaN where there is none."""
    values = np.where(depth.valid, depth.values, np.float32(np.nan)).astype("<f4")
    height, width = values.shape
    data = array("B", values.tobytes())  # rclpy takes an array of bytes as it is, and checks a list one by one
    return Image(header=header, height=height, width=width, encoding="32FC1", step=4 * width, data=data)


class DepthNode(Node):
    """Publishes the depth of images; those that come meanwhile replace each other, as the queue holds one."""

    def __init__(self, model: depthrt.DepthModel) -> None:
        super().__init__("depthrt")
        self.model = model
        newest = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        topic = "depth/image_rect" if model.kind == "metric" else f"{model.kind}_depth"
        self.out = self.create_publisher(Image, topic, newest)
        self.create_subscription(Image, "image_raw", self.answer, newest)

    def answer(self, message: Image) -> None:
        """Publish the depth of an image."""
        self.out.publish(to_message(self.model.infer(to_bgr(message)), message.header))


if __name__ == "__main__":
    rclpy.init(args=sys.argv)
    with depthrt.load(sys.argv[1]) as loaded, suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(DepthNode(loaded))
