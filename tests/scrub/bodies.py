"""Made-up originals, and a composed recording with them."""

from __future__ import annotations

from typing import Any

from cassette import model

ACCOUNT = "998877665544"
OTHER_ACCOUNT = "887766554433"
TASK = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
CONTAINER = "1b2c3d4e-5f60-4718-8293-a4b5c6d7e8f9"
ATTACHMENT = "2c3d4e5f-6071-4829-93a4-b5c6d7e8f90a"
ENI = "eni-0a1b2c3d4e5f60718"
SUBNET = "subnet-9f8e7d6c"
IP = "10.9.8.7"
MAC = "0a:1b:2c:3d:4e:5f"
EMAIL = "jane.roe@corp.test"
ACCESS_KEY = "AKIA" + "Q7ZX" * 4
PASSWORD = "korrekt-Horse-77"
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJl"
DIGEST = "sha256:" + "0123456789abcdef" * 4

CLUSTER_ARN = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/prod"
TASK_ARN = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task/prod/{TASK}"
CONTAINER_ARN = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:container/prod/{TASK}/{CONTAINER}"


def task(**members: Any) -> dict[str, Any]:
    """A consistent running Fargate task in readable form."""
    return {
        "attachments": [
            {
                "id": ATTACHMENT,
                "type": "ElasticNetworkInterface",
                "status": "ATTACHED",
                "details": [
                    {"name": "subnetId", "value": SUBNET},
                    {"name": "networkInterfaceId", "value": ENI},
                    {"name": "macAddress", "value": MAC},
                    {"name": "privateDnsName", "value": "ip-10-9-8-7.ec2.internal"},
                    {"name": "privateIPv4Address", "value": IP},
                ],
            }
        ],
        "clusterArn": CLUSTER_ARN,
        "containers": [
            {
                "containerArn": CONTAINER_ARN,
                "taskArn": TASK_ARN,
                "name": "web",
                "image": f"{OTHER_ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/team/web:1",
                "imageDigest": DIGEST,
                "runtimeId": f"{TASK}-1234567890",
                "lastStatus": "RUNNING",
                "networkInterfaces": [{"attachmentId": ATTACHMENT, "privateIpv4Address": IP}],
            }
        ],
        "createdAt": "2026-01-31T12:00:00.120Z",
        "group": "service:web",
        "lastStatus": "RUNNING",
        "overrides": {
            "containerOverrides": [
                {"name": "web", "environment": [{"name": "DB_PASSWORD", "value": PASSWORD}]}
            ]
        },
        "tags": [
            {"key": "owner", "value": "Jane Roe"},
            {"key": "aws:ecs:serviceName", "value": "web"},
        ],
        "taskArn": TASK_ARN,
        "version": 4,
        **members,
    }


def cassette(*calls: tuple[str, dict[str, Any], model.Outcome]) -> model.Cassette:
    """A cassette of calls: operation, request, outcome."""
    return model.Cassette(
        region="eu-west-1",
        recorded=model.Recorded(at="2026-01-31T12:00:00Z", by="test", botocore="1"),
        scrub=model.Scrub("none", 0),
        interactions=tuple(
            model.Interaction(float(at), operation, request, outcome)
            for at, (operation, request, outcome) in enumerate(calls)
        ),
    )


def described(*tasks: dict[str, Any], **members: Any) -> model.Cassette:
    """A cassette of one DescribeTasks call."""
    body = {"tasks": list(tasks), "failures": [], **members}
    request = {"cluster": CLUSTER_ARN, "tasks": [TASK]}
    return cassette(("DescribeTasks", request, model.Response(body)))


def body_of(scrubbed: model.Cassette, index: int = 0) -> dict[str, Any]:
    """The response body of one interaction."""
    outcome = scrubbed.interactions[index].outcome
    assert isinstance(outcome, model.Response)
    return dict(outcome.body)
