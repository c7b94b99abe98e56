"""Measurements: `make bench` prints them with their baselines and writes bench.json."""
