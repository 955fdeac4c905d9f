"""Clients and a server of depth, the engine without a server, and what their requests cost."""
