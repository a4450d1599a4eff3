"""What ECS answers in each state of a task: the tables that the rules use.

botocore's model does not have them: `lastStatus` and `desiredStatus` are free strings there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NOT_STARTED = frozenset({"PENDING"})
STARTED = frozenset({"RUNNING", "STOPPED"})
ANY = NOT_STARTED | STARTED
ENDED = frozenset({"STOPPED"})

ATTACHING = frozenset({"PRECREATED", "CREATED", "ATTACHING", "ATTACHED"})
ATTACHED = frozenset({"ATTACHED"})
DETACHING = frozenset({"ATTACHED", "DETACHING", "DETACHED", "DELETED", "FAILED"})
GONE = frozenset({"DETACHED", "DELETED", "FAILED"})


@dataclass(frozen=True, slots=True)
class State:
    """The values that occur together with a `lastStatus` of a task.

    Args:
        containers: the `lastStatus` that its containers can have.
        interface: the `status` that its network interface can have.
        stopping: whether `desiredStatus` is always STOPPED. In earlier states it may be either,
            because it becomes STOPPED when the stop begins and `lastStatus` follows later.
    """

    containers: frozenset[str]
    interface: frozenset[str]
    stopping: bool = False


# In the order in which a task goes through them; it may leave some out, and never goes back.
TASK: Mapping[str, State] = {
    "PROVISIONING": State(NOT_STARTED, ATTACHING),
    "PENDING": State(ANY, ATTACHED),  # one that depends on another starts later
    "ACTIVATING": State(STARTED, ATTACHED),
    "RUNNING": State(STARTED, ATTACHED),
    "DEACTIVATING": State(STARTED, DETACHING, stopping=True),
    "STOPPING": State(STARTED, DETACHING, stopping=True),
    "DEPROVISIONING": State(ENDED, DETACHING, stopping=True),
    "STOPPED": State(ENDED, GONE, stopping=True),
    "DELETED": State(ENDED, GONE, stopping=True),
}
DESIRED = ("RUNNING", "STOPPED")
CONTAINER = ("PENDING", "RUNNING", "STOPPED")
AGENT = ("PENDING", "RUNNING", "STOPPED")
ATTACHMENT = (
    "PRECREATED",
    "CREATED",
    "ATTACHING",
    "ATTACHED",
    "DETACHING",
    "DETACHED",
    "DELETED",
    "FAILED",
)


@dataclass(frozen=True, slots=True)
class Time:
    """A timestamp of a task.

    Args:
        never_before: the first state that can have it.
        always_from: the first state that always has it; None if no state does.
        only_stopping: whether it appears only once `desiredStatus` is STOPPED.
    """

    never_before: str
    always_from: str | None = None
    only_stopping: bool = False


TIMES: Mapping[str, Time] = {
    "createdAt": Time("PROVISIONING", "PROVISIONING"),
    "connectivityAt": Time("RUNNING"),
    "pullStartedAt": Time("PENDING"),
    "pullStoppedAt": Time("PENDING"),
    "startedAt": Time("RUNNING"),
    "stoppingAt": Time("PENDING", "DEACTIVATING", only_stopping=True),
    "executionStoppedAt": Time("PENDING", "DEPROVISIONING", only_stopping=True),
    "stoppedAt": Time("STOPPED", "STOPPED", only_stopping=True),
}
# The order of those that are there. `connectivityAt` is not among them: it is the last change
# of the connection, whenever that was.
LIFE = ("createdAt", "pullStartedAt", "pullStoppedAt", "startedAt")
ENDS = ("executionStoppedAt", "stoppingAt", "stoppedAt")

# What came first, by who stopped the task: the end of its containers, or the wish to end them.
EXITED = ("EssentialContainerExited", "TaskFailedToStart")
ASKED = ("UserInitiated", "ServiceSchedulerInitiated")

# Texts that ECS writes into `stoppedReason`, by their beginning, with the stop codes they go with.
# Anything else may be the reason given to StopTask.
REASONS: Mapping[str, tuple[str, ...]] = {
    "Essential container in task exited": ("EssentialContainerExited",),
    "Task failed to start": ("TaskFailedToStart",),
    "TaskFailedToStart": ("TaskFailedToStart",),
    "CannotPullContainer": ("TaskFailedToStart",),
    "ResourceInitializationError": ("TaskFailedToStart",),
    "Timeout waiting for network interface provisioning": ("TaskFailedToStart",),
    "Timeout waiting for EphemeralStorage provisioning": ("TaskFailedToStart",),
    "Unexpected EC2 error while attempting to Create Network Interface": ("TaskFailedToStart",),
    "Unable to attach network interface": ("TaskFailedToStart",),
    "Fetching secret data from": ("TaskFailedToStart",),
    "Task provisioning failed": ("TaskFailedToStart",),
    "The Service Discovery instance could not be registered": ("TaskFailedToStart",),
    "Scaling activity initiated by": ("ServiceSchedulerInitiated",),
    "Task failed ELB health checks": ("ServiceSchedulerInitiated",),
    "Task failed container health checks": ("ServiceSchedulerInitiated",),
    "ECS is performing maintenance": ("ServiceSchedulerInitiated",),
    "Task stopped by user": ("UserInitiated",),
    "Your Spot Task was interrupted": ("SpotInterruption", "TerminationNotice"),
    "Host EC2 (instance": ("TerminationNotice",),
}
# In the other direction: the only text that goes with a stop code.
ONLY_REASON = {"EssentialContainerExited": "Essential container in task exited"}
