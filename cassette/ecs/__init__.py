"""What Amazon ECS is: its names and ARNs, the shapes of its API, the states of a task.

| module | what it knows |
| --- | --- |
| `names` | ARNs, short names, partitions |
| `shapes` | botocore's service model of ECS, and the wire form and readable form of a body |
| `states` | what ECS answers in each state of a task, which botocore's model does not say |
"""
