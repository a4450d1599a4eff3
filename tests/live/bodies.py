"""Wire bodies of one invented Fargate task, state by state, as ECS sends them.

Every field that can identify someone or hold a secret has a synthetic value; `IDENTIFYING` lists
the originals that must not appear in scrubbed text. Each function returns a fresh dict, which a
test may change.
"""

from __future__ import annotations

from typing import Any

ACCOUNT = "123456789012"
REGISTRY_ACCOUNT = "111122223333"
REGION = "eu-west-1"
CLUSTER = "prod"
TASK_ID = "4f6a1c0d9b7e48d2a35c8e1f70b2d946"
CLUSTER_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{CLUSTER}"
TASK_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{CLUSTER}/{TASK_ID}"
TASK_DEFINITION_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/web:42"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/web-task"
TARGET_GROUP_ARN = (
    f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/web/6d0ecf831eec9f09"
)
DEPLOYMENT = "ecs-svc/6202457769800000000"
ATTACHMENT_ID = "b1946ac9-2492-4d23-86c6-235b4d2611e1"
CONTAINER_IDS = {
    "web": "0d1f6a4e-8c35-4b7a-9a20-5e6f7c8d9b01",
    "log-router": "7a3e5b92-1d4c-4f68-b8e7-2c9d0a1f6e53",
}
RUNTIME_IDS = {"web": f"{TASK_ID}-2531612879", "log-router": f"{TASK_ID}-0784416309"}
DIGESTS = {
    "web": "sha256:9d3f0c2b7e51a8846f1c3d5e7092b4a6c8e0f1d3b5a79680e2c4f6a8b0d1e3f5",
    "log-router": "sha256:1b4d7f0a3c6e9258b1d4f7a0c3e6925881b4d7f0a3c6e92580f7a1d4c3b6e925",
}
IMAGES = {
    "web": f"{REGISTRY_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/shop/web:2026.11.1",
    "log-router": "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable",
}
PRIVATE_IP = "10.20.30.40"
IPV6 = "fd12:3456:789a:1::28"
PRIVATE_DNS = "ip-10-20-30-40.eu-west-1.compute.internal"
MAC = "0a:1b:2c:3d:4e:5f"
ENI = "eni-0f1e2d3c4b5a69788"
SUBNET = "subnet-0a9b8c7d6e5f41230"
PASSWORD = "correct-horse-battery"
DATABASE_URL = f"postgres://shop:{PASSWORD}@db.shop.example.com:5432/shop"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
OWNER = "jane.doe@example.com"

ENVIRONMENT = [
    {"name": "DATABASE_URL", "value": DATABASE_URL},
    {"name": "AWS_ACCESS_KEY_ID", "value": ACCESS_KEY},
    {"name": "AWS_SECRET_ACCESS_KEY", "value": SECRET_KEY},
]
TAGS = [
    {"key": "owner", "value": OWNER},
    {"key": "aws:ecs:clusterName", "value": CLUSTER},
    {"key": "aws:ecs:serviceName", "value": "web"},
]

IDENTIFYING = (
    ACCOUNT,
    REGISTRY_ACCOUNT,
    TASK_ID,
    *CONTAINER_IDS.values(),
    *RUNTIME_IDS.values(),
    *DIGESTS.values(),
    ATTACHMENT_ID,
    DEPLOYMENT,
    TARGET_GROUP_ARN,
    PRIVATE_IP,
    IPV6,
    PRIVATE_DNS,
    MAC,
    ENI,
    SUBNET,
    PASSWORD,
    DATABASE_URL,
    ACCESS_KEY,
    SECRET_KEY,
    OWNER,
)
"""Originals that no scrubbed text may hold, whatever the policy."""

# 2026-11-23T11:58:03.120Z
CREATED_AT = 1795435083.12
CONNECTIVITY_AT = 1795435087.731
PULL_STARTED_AT = 1795435099.402
PULL_STOPPED_AT = 1795435106.018
STARTED_AT = 1795435108.25
STOPPING_AT = 1795438708.604
EXECUTION_STOPPED_AT = 1795438739.77
STOPPED_AT = 1795438762.143


def provisioning(*, tags: bool = False) -> dict[str, Any]:
    """The task as RunTask and the first polls show it: no address, no image digest yet."""
    return {
        "attachments": [
            {
                "id": ATTACHMENT_ID,
                "type": "ElasticNetworkInterface",
                "status": "PRECREATED",
                "details": [{"name": "subnetId", "value": SUBNET}],
            }
        ],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "availabilityZone": "eu-west-1a",
        "clusterArn": CLUSTER_ARN,
        "containers": [_container("web", cpu="256"), _container("log-router", cpu="0")],
        "cpu": "512",
        "createdAt": CREATED_AT,
        "desiredStatus": "RUNNING",
        "enableExecuteCommand": False,
        "group": "service:web",
        "healthStatus": "UNKNOWN",
        "lastStatus": "PROVISIONING",
        "launchType": "FARGATE",
        "memory": "1024",
        "overrides": {
            "containerOverrides": [
                {
                    "name": "web",
                    "command": ["serve", "--token", SECRET_KEY],
                    "environment": [dict(variable) for variable in ENVIRONMENT],
                },
                {"name": "log-router"},
            ],
            "inferenceAcceleratorOverrides": [],
            "taskRoleArn": ROLE_ARN,
        },
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "startedBy": DEPLOYMENT,
        "tags": [dict(tag) for tag in TAGS] if tags else [],
        "taskArn": TASK_ARN,
        "taskDefinitionArn": TASK_DEFINITION_ARN,
        "version": 1,
        "ephemeralStorage": {"sizeInGiB": 20},
        "fargateEphemeralStorage": {"sizeInGiB": 20},
    }


def pending(*, tags: bool = False) -> dict[str, Any]:
    """The network interface is attached; the images are not pulled yet."""
    task = provisioning(tags=tags)
    task |= {"lastStatus": "PENDING", "version": 2}
    task["attachments"][0] |= {
        "status": "ATTACHED",
        "details": [
            {"name": "subnetId", "value": SUBNET},
            {"name": "networkInterfaceId", "value": ENI},
            {"name": "macAddress", "value": MAC},
            {"name": "privateDnsName", "value": PRIVATE_DNS},
            {"name": "privateIPv4Address", "value": PRIVATE_IP},
        ],
    }
    for container in task["containers"]:
        container["networkInterfaces"] = [
            {
                "attachmentId": ATTACHMENT_ID,
                "privateIpv4Address": PRIVATE_IP,
                "ipv6Address": IPV6,
            }
        ]
    return task


def running(*, tags: bool = False) -> dict[str, Any]:
    """Both containers run; the essential one has a health check that passes."""
    task = pending(tags=tags)
    task |= {
        "connectivity": "CONNECTED",
        "connectivityAt": CONNECTIVITY_AT,
        "healthStatus": "HEALTHY",
        "lastStatus": "RUNNING",
        "pullStartedAt": PULL_STARTED_AT,
        "pullStoppedAt": PULL_STOPPED_AT,
        "startedAt": STARTED_AT,
        "version": 4,
    }
    for container in task["containers"]:
        name = container["name"]
        container |= {
            "imageDigest": DIGESTS[name],
            "runtimeId": RUNTIME_IDS[name],
            "lastStatus": "RUNNING",
        }
    task["containers"][0]["healthStatus"] = "HEALTHY"
    return task


def stopped(*, tags: bool = False) -> dict[str, Any]:
    """The load balancer's health checks failed: SIGTERM, then the interface is removed."""
    task = running(tags=tags)
    task |= {
        "desiredStatus": "STOPPED",
        "executionStoppedAt": EXECUTION_STOPPED_AT,
        "lastStatus": "STOPPED",
        "stopCode": "ServiceSchedulerInitiated",
        "stoppedAt": STOPPED_AT,
        "stoppedReason": f"Task failed ELB health checks in (target-group {TARGET_GROUP_ARN})",
        "stoppingAt": STOPPING_AT,
        "version": 8,
    }
    task["attachments"][0]["status"] = "DELETED"
    for container, exit_code in zip(task["containers"], (143, 0), strict=True):
        container |= {"lastStatus": "STOPPED", "exitCode": exit_code}
    return task


def described(*tasks: dict[str, Any], missing: tuple[str, ...] = ()) -> dict[str, Any]:
    """A DescribeTasks response with these tasks, and a MISSING failure for each other ARN."""
    failures = [{"arn": arn, "reason": "MISSING"} for arn in missing]
    return {"tasks": list(tasks), "failures": failures}


def life(*, tags: bool = False) -> list[dict[str, Any]]:
    """The DescribeTasks responses of the task's whole life, in order."""
    states = (provisioning, pending, running, stopped)
    return [described(state(tags=tags)) for state in states]


def _container(name: str, *, cpu: str) -> dict[str, Any]:
    return {
        "containerArn": (
            f"arn:aws:ecs:{REGION}:{ACCOUNT}:container/{CLUSTER}/{TASK_ID}/{CONTAINER_IDS[name]}"
        ),
        "taskArn": TASK_ARN,
        "name": name,
        "image": IMAGES[name],
        "lastStatus": "PENDING",
        "networkInterfaces": [],
        "healthStatus": "UNKNOWN",
        "cpu": cpu,
    }
