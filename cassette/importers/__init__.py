"""Recordings that other tools made: read without running anything in them, one module a format.

| module | what it knows |
| --- | --- |
| text | any YAML or JSON file as values that know their place, and edits in that place |
| forms | timestamps and members in every form that tools give them |
| calls | the calls that a recording holds, and the cassette that they make |
| plain | answers of ECS as JSON or YAML, as `aws ecs describe-tasks` prints them |
| events | EventBridge events of ECS tasks |
| vcrpy | HTTP as vcrpy records it |
| placebo | a folder of answers as placebo records them |
"""
