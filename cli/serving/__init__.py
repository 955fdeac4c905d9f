"""The verb that serves models over HTTP."""
