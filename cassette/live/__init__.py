"""What is asked of live ECS: which calls, in which order, how fast.

Only reads are made. `selection` says which tasks, `requests` which calls that makes, `calls` makes
them at a bounded rate, and `snapshot` and `watch` put them in order. What becomes of a response is
not known here; a recording hears each attempt.
"""
