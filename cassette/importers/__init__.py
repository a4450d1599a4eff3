"""Recordings that other tools made: read without running anything in them, one module a format.

| module | what it knows |
| --- | --- |
| editable_text | any YAML or JSON file as values with their places, and edits in those places |
| member_forms | members and timestamps in every form that tools write |
| calls | the calls in a recording, and the cassette made of them |
| http_recordings | HTTP as vcrpy, go-vcr, Ruby VCR, nock, HAR and others keep it |
| vcrpy | scrubbing vcrpy's and go-vcr's files in place |
| placebo | a folder of answers as placebo records them |
| eventbridge | EventBridge events of ECS tasks |
| cloudtrail | CloudTrail records of ECS calls |
| plain_json | answers of ECS as JSON or YAML, as `aws ecs describe-tasks` prints them |
"""
