"""Benchmarks that compare ecs-cassette with similar tools; `make bench` runs them all."""
