"""python -m rxnn is the command rxnn."""

from .cli import main

main()
