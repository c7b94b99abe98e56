"""HTTP in and out. Endpoints translate and do nothing else."""
