"""The live bridge: images of a topic in, their depth on another topic out, as rmw_zenoh carries them."""
