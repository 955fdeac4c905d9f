"""`python -m depthrt`: the same as `depthrt`, for machines whose scripts are not on the search path."""

from .cli import main

if __name__ == "__main__":
    main()
