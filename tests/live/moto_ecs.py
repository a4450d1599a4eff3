"""A real HTTP ECS that this project did not write: moto's server, in its own process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

REGION = "eu-west-1"
CLUSTER = "prod"
ENVIRONMENT = [{"name": "API_TOKEN", "value": "a-made-up-token"}]
TAGS = [{"key": "owner", "value": "jane.doe@example.com"}]


@contextlib.contextmanager
def serve() -> Iterator[str]:
    """Start moto's server on a free port of loopback; the value is its URL."""
    launcher = Path(__file__).with_name("moto_process.py")
    # It is another program: measuring its coverage would only slow it down.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    environment["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # three quarters of what a reset costs
    with subprocess.Popen(
        [sys.executable, str(launcher)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            port = process.stdout.readline().strip()
            assert port, "moto's server did not start: is moto[server] installed?"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.stdin.close()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()


@dataclass(frozen=True)
class MotoEcs:
    """An account with a cluster and a running Fargate task; each test gets a fresh one."""

    url: str
    cluster: str = CLUSTER
    region: str = REGION
    client: Any = field(init=False)
    cluster_arn: str = field(init=False)
    task_definition_arn: str = field(init=False)
    task_arns: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._post("reset")
        self.advance_every(1)
        client = boto3.client("ecs", **self.credentials)
        found = {
            "client": client,
            "cluster_arn": client.create_cluster(clusterName=self.cluster)["cluster"]["clusterArn"],
            "task_definition_arn": _register(client),
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "task_arns", [self.run()])

    @property
    def credentials(self) -> dict[str, str]:
        """What `boto3.client` needs to reach this account."""
        return {
            "endpoint_url": self.url,
            "region_name": self.region,
            "aws_access_key_id": "testing",
            "aws_secret_access_key": "testing",
        }

    def run(self) -> str:
        """Run one more task; returns its ARN."""
        ec2 = boto3.client("ec2", **self.credentials)
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        response = self.client.run_task(
            cluster=self.cluster,
            taskDefinition="web",
            launchType="FARGATE",
            networkConfiguration={
                "awsvpcConfiguration": {"subnets": [subnet], "securityGroups": []}
            },
            overrides={"containerOverrides": [{"name": "web", "environment": ENVIRONMENT}]},
            tags=TAGS,
        )
        arn: str = response["tasks"][0]["taskArn"]
        return arn

    def advance_every(self, describes: int) -> None:
        """How many DescribeTasks calls move a task one state on.

        moto's tasks go RUNNING, DEACTIVATING, STOPPING, DEPROVISIONING, STOPPED. The states
        before RUNNING are left to the scripted server.
        """
        transition = {"progression": "manual", "times": describes}
        self._post(
            "state-manager/set-transition", {"model_name": "ecs::task", "transition": transition}
        )

    def _post(self, path: str, body: dict[str, Any] | None = None) -> None:
        request = urllib.request.Request(
            f"{self.url}/moto-api/{path}",
            data=json.dumps(body or {}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request):
            pass


def _register(client: Any) -> str:
    response = client.register_task_definition(
        family="web",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[
            {
                "name": "web",
                "image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1",
                "cpu": 256,
                "memory": 512,
                "essential": True,
            }
        ],
    )
    arn: str = response["taskDefinition"]["taskDefinitionArn"]
    return arn
