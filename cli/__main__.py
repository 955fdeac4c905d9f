"""`python -m depthrt.cli`: the same as `depthrt`."""

from . import main

main()
