"""Members for the exploding gradient benchmark, laid out as the benchmark's own are."""
