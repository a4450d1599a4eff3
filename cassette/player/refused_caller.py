"""The errors that ECS gives to a caller without permission or credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cassette.ecs.names_and_arns import cluster_of, place_of, short_name
from cassette.model import ApiError, Cassette

# Errors of permissions and credentials; source: the ECS API Reference, common errors.
_OF_THE_CALLER = frozenset(
    "AccessDeniedException ExpiredTokenException IncompleteSignature InvalidClientTokenId "
    "InvalidSignatureException MissingAuthenticationToken NotAuthorized OptInRequired "
    "UnrecognizedClientException".split()
)
_NAMED = re.compile(r"(?<=on resource: )\S+")

# The resource that a permission is for, and the parameter that names it. What is not listed has
# no resource: its permission is for `*`. Source: "Actions, resources, and condition keys for
# Amazon Elastic Container Service" in the Service Authorization Reference.
_TASK, _SERVICE = "task/{cluster}/{name}", "service/{cluster}/{name}"
_INSTANCE, _SET = "container-instance/{cluster}/{name}", "task-set/{cluster}/{service}/{name}"
_CLUSTER, _DEFINITION = "cluster/{name}", "task-definition/{name}"
_PROVIDER = "capacity-provider/{name}"
_RESOURCES: Mapping[str, tuple[str, str]] = {
    "CreateService": ("serviceName", _SERVICE),
    "CreateTaskSet": ("service", _SERVICE),
    "DeleteCapacityProvider": ("capacityProvider", _PROVIDER),
    "DeleteCluster": ("cluster", _CLUSTER),
    "DeleteService": ("service", _SERVICE),
    "DeleteTaskDefinitions": ("taskDefinitions", _DEFINITION),
    "DeleteTaskSet": ("taskSet", _SET),
    "DeregisterContainerInstance": ("cluster", _CLUSTER),
    "DescribeCapacityProviders": ("capacityProviders", _PROVIDER),
    "DescribeClusters": ("clusters", _CLUSTER),
    "DescribeContainerInstances": ("containerInstances", _INSTANCE),
    "DescribeServiceDeployments": ("serviceDeploymentArns", ""),
    "DescribeServiceRevisions": ("serviceRevisionArns", ""),
    "DescribeServices": ("services", _SERVICE),
    "DescribeTaskSets": ("taskSets", _SET),
    "DescribeTasks": ("tasks", _TASK),
    "ExecuteCommand": ("task", _TASK),
    "GetTaskProtection": ("tasks", _TASK),
    "ListContainerInstances": ("cluster", _CLUSTER),
    "ListServiceDeployments": ("service", _SERVICE),
    "ListTagsForResource": ("resourceArn", ""),
    "ListTasks": ("containerInstance", _INSTANCE),
    "PutClusterCapacityProviders": ("cluster", _CLUSTER),
    "RegisterContainerInstance": ("cluster", _CLUSTER),
    "RunTask": ("taskDefinition", _DEFINITION),
    "StartTask": ("taskDefinition", _DEFINITION),
    "StopServiceDeployment": ("serviceDeploymentArn", ""),
    "StopTask": ("task", _TASK),
    "TagResource": ("resourceArn", ""),
    "UntagResource": ("resourceArn", ""),
    "UpdateCapacityProvider": ("name", _PROVIDER),
    "UpdateCluster": ("cluster", _CLUSTER),
    "UpdateClusterSettings": ("cluster", _CLUSTER),
    "UpdateContainerAgent": ("containerInstance", _INSTANCE),
    "UpdateContainerInstancesState": ("containerInstances", _INSTANCE),
    "UpdateService": ("service", _SERVICE),
    "UpdateServicePrimaryTaskSet": ("service", _SERVICE),
    "UpdateTaskProtection": ("tasks", _TASK),
    "UpdateTaskSet": ("taskSet", _SET),
}


@dataclass(frozen=True, slots=True)
class RefusedCaller:
    """The refusal for lack of permission or credentials that a patch made for good.

    Such a caller sees no state at all, and every operation refuses it. A caller that lacks only the
    permission for one operation other than DescribeTasks is refused there.

    Args:
        operation: the operation that the patch refuses.
        error: ECS's error for it.
        region: the recording's, for a message that names none.
    """

    operation: str
    error: ApiError
    region: str

    @classmethod
    def of(cls, cassette: Cassette) -> RefusedCaller | None:
        """The caller that a variant refuses, if it does."""
        if not any(one.patched for one in cassette.interactions):
            return None
        last = {(one.operation, repr(one.request)): one for one in cassette.interactions}
        for (operation, _), one in last.items():
            error = one.outcome
            if one.patched and isinstance(error, ApiError) and error.code in _OF_THE_CALLER:
                return cls(operation, error, cassette.region)
        return None

    def refuses(self, operation: str) -> bool:
        """Whether an operation is refused."""
        of_one = self.error.code == "AccessDeniedException" and self.operation != "DescribeTasks"
        return operation == self.operation or not of_one

    def answer(self, operation: str, request: Mapping[str, Any]) -> ApiError:
        """The refusal of a call, which names its operation and the resource that it concerns."""
        message = self.error.message.replace(f"ecs:{self.operation}", f"ecs:{operation}")
        named = _NAMED.search(message)
        if named and not (operation == self.operation and _is_meant(named[0], operation, request)):
            resource = self._resource(named[0], operation, request)
            message = message[: named.start()] + resource + message[named.end() :]
        return replace(self.error, message=message)

    def _resource(self, named: str, operation: str, request: Mapping[str, Any]) -> str:
        """The ARN of the call's resource, in the account of the ARN in the message."""
        parameter, form = _RESOURCES.get(operation, ("", ""))
        name = _first(request.get(parameter)) or (parameter == "cluster" and "default") or "*"
        if name == "*" or name.startswith("arn:") or not form:
            return name
        users = (place_of(word) for word in self.error.message.split() if word.startswith("arn:"))
        user = next(filter(None, users), ("aws", "sts", "", "000000000001"))
        partition, _, region, account = place_of(named) or (user[0], "", self.region, user[3])
        service = short_name(str(request.get("service") or "*"))
        path = form.format(cluster=cluster_of(request), name=name, service=service)
        return f"arn:{partition}:ecs:{region}:{account}:{path}"


def _is_meant(named: str, operation: str, request: Mapping[str, Any]) -> bool:
    """Whether a call is about the resource that the patch's message names."""
    parameter, form = _RESOURCES.get(operation, ("", ""))
    if not (form and f":{form.partition('/')[0]}/" in named):
        return True  # not the ARN of such a resource, so the patch says it on purpose
    asked = request.get(parameter)
    names = {short_name(str(one)) for one in (asked if isinstance(asked, list) else [asked])}
    return short_name(named) in names | {name.partition(":")[0] for name in names}


def _first(value: Any) -> str:
    value = value[0] if isinstance(value, list) and value else value
    return value if isinstance(value, str) else ""
