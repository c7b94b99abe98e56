"""`python -m pipelines` is the command `copydesk`."""

from pipelines.cli import main

main()
