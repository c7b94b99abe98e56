"""The steps an ML engineer runs, and the command line."""
