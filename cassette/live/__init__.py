"""Calls to live ECS: which ones, in which order, and how fast.

Only reads are made. `selection` says which tasks, `requests` which calls that makes, `calls` makes
them at a bounded rate, and `snapshot` and `watch` put them in order. This package does not handle
the responses; a recording listens to each attempt.
"""
