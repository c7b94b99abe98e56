"""What a client or a worker can do, each with ports first and data by name."""
