"""What Amazon ECS is: its names and ARNs, the shapes of its API, the states of a task.

| module | content |
| --- | --- |
| `names_and_arns` | ARNs, short names, partitions |
| `attempts` | the attempts of a live call |
| `connection_failures` | how a connection fails, and the exceptions that clients raise |
| `counts` | the counts of tasks, and the difference that one task makes |
| `shapes` | botocore's service model of ECS, and the wire form and readable form of a body |
| `states` | what ECS answers in each state of a task, which botocore's model does not say |
"""
