"""`python -m depthrt.cli`: the same as `depthrt`."""

from . import main

if __name__ == "__main__":
    main()
