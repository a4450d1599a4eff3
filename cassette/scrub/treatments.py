"""The table of treatments: how each member of each ECS request, response and error is scrubbed.

A shape of botocore's ECS model lists its members under one treatment each. It is written by
people, member by member: a member that is not here is redacted and reported, and a test lists
those that a newer botocore added.

Every string that is kept, under whichever treatment, is still searched for account ids,
addresses, ids, credentials and known originals (see `free_text`).

| treatment | what happens to the value |
| --- | --- |
| keep | a number, boolean, time, status or a word of ECS's own: kept; anything else: redacted |
| inside | a structure or a list of them: its members have rows of their own |
| name | a name that somebody chose: kept; replaced under the strict policy |
| arn | a resource, by ARN, id or name: account and ids replaced; names as above |
| id | an identifier of one thing: always a pseudonym, whatever its form |
| text | free text: only what the search finds is replaced |
| expression | a placement expression: the values compared with custom attributes are redacted |
| host | a DNS name, or a name that may be one: a pseudonym if it has a dot and is not public |
| image | an image name: a private registry is replaced, the repository is a name |
| command | words of a command line: its structure is kept, values are redacted (`command_lines`) |
| environment | name and value pairs: names are kept, values are redacted |
| details | of an attachment: depends on the name of the detail, see DETAILS |
| pairs | name and value pairs of ECS's own: both are kept as text |
| attributes | of a container instance: names are kept; values are redacted, except ECS's own |
| properties | of a proxy: values are redacted, except those of PROPERTIES |
| tags | keys are kept, values are redacted, except those of TAGS |
| options | of a log driver: values are redacted, except those of OPTIONS |
| labels | a map of strings: keys are kept, values are redacted |
| token | an opaque token: hashed, so that a page still leads to the next one |
| redact | always redacted |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


TREATMENTS = frozenset(
    "keep inside name arn id text expression host image command environment details pairs "
    "attributes properties tags options labels token redact".split()
)

TABLE: Mapping[str, Mapping[str, str]] = {
    "AcceleratorCountRequest": {"keep": "min max"},
    "AcceleratorTotalMemoryMiBRequest": {"keep": "min max"},
    "AccessDeniedException": {"text": "message"},
    "AdvancedConfiguration": {
        "arn": "alternateTargetGroupArn productionListenerRule testListenerRule roleArn",
    },
    "AssociateGatewayWithClusterRequest": {"arn": "gateway cluster"},
    "AssociateGatewayWithClusterResponse": {"keep": "status", "arn": "gatewayArn clusterArn"},
    "Attachment": {"keep": "type status", "id": "id", "details": "details"},
    "AttachmentStateChange": {"keep": "status", "arn": "attachmentArn"},
    "Attribute": {"keep": "targetType", "name": "name value", "arn": "targetId"},
    "AttributeLimitExceededException": {"text": "message"},
    "AutoRepairConfiguration": {"keep": "actionsStatus"},
    "AutoScalingGroupProvider": {
        "keep": "managedTerminationProtection managedDraining",
        "inside": "managedScaling",
        "arn": "autoScalingGroupArn",
    },
    "AutoScalingGroupProviderUpdate": {
        "keep": "managedTerminationProtection managedDraining",
        "inside": "managedScaling",
    },
    "AwsVpcConfiguration": {"keep": "assignPublicIp", "id": "subnets securityGroups"},
    "BaselineEbsBandwidthMbpsRequest": {"keep": "min max"},
    "BlockedException": {"text": "message"},
    "CanaryConfiguration": {"keep": "canaryPercent canaryBakeTimeInMinutes"},
    "CapacityProvider": {
        "keep": "status updateStatus type",
        "inside": "autoScalingGroupProvider managedInstancesProvider",
        "name": "name",
        "arn": "capacityProviderArn cluster",
        "text": "updateStatusReason",
        "tags": "tags",
    },
    "CapacityProviderStrategyItem": {"keep": "weight base", "arn": "capacityProvider"},
    "CapacityReservationRequest": {"keep": "reservationPreference", "arn": "reservationGroupArn"},
    "ClientException": {"text": "message"},
    "Cluster": {
        "keep": (
            "status registeredContainerInstancesCount runningTasksCount pendingTasksCount "
            "activeServicesCount attachmentsStatus"
        ),
        "inside": (
            "configuration settings defaultCapacityProviderStrategy attachments "
            "serviceConnectDefaults"
        ),
        "name": "clusterName",
        "arn": "clusterArn capacityProviders",
        "pairs": "statistics",
        "tags": "tags",
    },
    "ClusterConfiguration": {"inside": "executeCommandConfiguration managedStorageConfiguration"},
    "ClusterContainsCapacityProviderException": {"text": "message"},
    "ClusterContainsContainerInstancesException": {"text": "message"},
    "ClusterContainsServicesException": {"text": "message"},
    "ClusterContainsTasksException": {"text": "message"},
    "ClusterNotFoundException": {"text": "message"},
    "ClusterServiceConnectDefaults": {"host": "namespace"},
    "ClusterServiceConnectDefaultsRequest": {"host": "namespace"},
    "ClusterSetting": {"keep": "name value"},
    "ConflictException": {"arn": "resourceIds", "text": "message"},
    "Container": {
        "keep": "lastStatus exitCode healthStatus cpu memory memoryReservation",
        "inside": "networkBindings networkInterfaces managedAgents gpuSharingStrategy",
        "name": "name",
        "arn": "containerArn taskArn",
        "id": "imageDigest runtimeId gpuIds neuronDeviceIds",
        "text": "reason",
        "image": "image",
    },
    "ContainerDefinition": {
        "keep": (
            "cpu memory memoryReservation essential startTimeout stopTimeout versionConsistency "
            "disableNetworking privileged readonlyRootFilesystem interactive pseudoTerminal"
        ),
        "inside": (
            "portMappings restartPolicy environmentFiles mountPoints volumesFrom "
            "linuxParameters secrets dependsOn extraHosts ulimits logConfiguration healthCheck "
            "systemControls resourceRequirements firelensConfiguration"
        ),
        "name": "name links user workingDirectory",
        "arn": "credentialSpecs",
        "text": "dnsServers dockerSecurityOptions",
        "host": "dnsSearchDomains hostname",
        "image": "image",
        "command": "entryPoint command",
        "environment": "environment",
        "labels": "dockerLabels",
        "redact": "repositoryCredentials",
    },
    "ContainerDependency": {"keep": "condition", "name": "containerName"},
    "ContainerImage": {"name": "containerName", "id": "imageDigest", "image": "image"},
    "ContainerInstance": {
        "keep": (
            "version status agentConnected runningTasksCount pendingTasksCount "
            "agentUpdateStatus registeredAt"
        ),
        "inside": (
            "versionInfo remainingResources registeredResources attachments healthStatus gpuDevices"
        ),
        "attributes": "attributes",
        "name": "capacityProviderName",
        "arn": "containerInstanceArn",
        "id": "ec2InstanceId",
        "text": "statusReason",
        "tags": "tags",
    },
    "ContainerInstanceHealthStatus": {"keep": "overallStatus", "inside": "details"},
    "ContainerOverride": {
        "keep": "cpu memory memoryReservation",
        "inside": "environmentFiles resourceRequirements",
        "name": "name",
        "command": "command",
        "environment": "environment",
    },
    "ContainerRestartPolicy": {"keep": "enabled ignoredExitCodes restartAttemptPeriod"},
    "ContainerStateChange": {
        "keep": "exitCode status",
        "inside": "networkBindings",
        "name": "containerName",
        "id": "imageDigest runtimeId",
        "text": "reason",
    },
    "ContinueServiceDeploymentRequest": {
        "keep": "action",
        "arn": "serviceDeploymentArn",
        "id": "hookId",
    },
    "ContinueServiceDeploymentResponse": {"arn": "serviceDeploymentArn"},
    "CreateCapacityProviderRequest": {
        "inside": "autoScalingGroupProvider managedInstancesProvider",
        "name": "name",
        "arn": "cluster",
        "tags": "tags",
    },
    "CreateCapacityProviderResponse": {"inside": "capacityProvider"},
    "CreateClusterRequest": {
        "inside": "settings configuration defaultCapacityProviderStrategy serviceConnectDefaults",
        "name": "clusterName",
        "arn": "capacityProviders",
        "tags": "tags",
    },
    "CreateClusterResponse": {"inside": "cluster"},
    "CreateDaemonRequest": {
        "keep": "propagateTags enableECSManagedTags enableExecuteCommand critical",
        "inside": "deploymentConfiguration",
        "name": "daemonName",
        "arn": "clusterArn daemonTaskDefinitionArn capacityProviderArns",
        "tags": "tags",
        "redact": "clientToken",
    },
    "CreateDaemonResponse": {"keep": "status createdAt", "arn": "daemonArn deploymentArn"},
    "CreateExpressGatewayServiceRequest": {
        "keep": "cpu memory cpuArchitecture",
        "inside": "primaryContainer networkConfiguration scalingTarget",
        "name": "serviceName healthCheckPath",
        "arn": "executionRoleArn infrastructureRoleArn cluster taskRoleArn taskDefinitionArn",
        "tags": "tags",
    },
    "CreateExpressGatewayServiceResponse": {"inside": "service"},
    "CreateGatewayRequest": {
        "keep": "deletionProtection propagateTags",
        "inside": "configuration",
        "name": "name",
        "arn": "infrastructureRoleArn",
        "tags": "tags",
        "redact": "clientToken",
    },
    "CreateGatewayResponse": {"keep": "status", "name": "name", "arn": "gatewayArn"},
    "CreateManagedInstancesProviderConfiguration": {
        "keep": "propagateTags",
        "inside": "instanceLaunchTemplate infrastructureOptimization autoRepairConfiguration",
        "arn": "infrastructureRoleArn",
    },
    "CreateServiceRequest": {
        "keep": (
            "availabilityZoneRebalancing desiredCount launchType platformVersion "
            "healthCheckGracePeriodSeconds schedulingStrategy enableECSManagedTags "
            "propagateTags enableExecuteCommand"
        ),
        "inside": (
            "loadBalancers serviceRegistries capacityProviderStrategy deploymentConfiguration "
            "placementConstraints placementStrategy networkConfiguration deploymentController "
            "serviceConnectConfiguration volumeConfigurations vpcLatticeConfigurations "
            "gatewayConnectors monitoring"
        ),
        "name": "serviceName",
        "arn": "cluster taskDefinition role",
        "tags": "tags",
        "redact": "clientToken",
    },
    "CreateServiceResponse": {"inside": "service"},
    "CreateTaskSetRequest": {
        "keep": "launchType platformVersion",
        "inside": (
            "networkConfiguration loadBalancers serviceRegistries capacityProviderStrategy scale"
        ),
        "name": "externalId",
        "arn": "service cluster taskDefinition",
        "tags": "tags",
        "redact": "clientToken",
    },
    "CreateTaskSetResponse": {"inside": "taskSet"},
    "CreatedAt": {"keep": "before after"},
    "DaemonAlarmConfiguration": {"keep": "enable", "name": "alarmNames"},
    "DaemonCapacityProvider": {"keep": "runningCount withoutDaemonCount", "arn": "arn"},
    "DaemonCircuitBreaker": {"keep": "failureCount status threshold"},
    "DaemonContainerDefinition": {
        "keep": (
            "memory memoryReservation cpu essential readonlyRootFilesystem privileged "
            "startTimeout stopTimeout interactive pseudoTerminal"
        ),
        "inside": (
            "healthCheck environmentFiles secrets mountPoints logConfiguration "
            "firelensConfiguration ulimits linuxParameters dependsOn systemControls "
            "restartPolicy"
        ),
        "name": "name workingDirectory user",
        "image": "image",
        "command": "entryPoint command",
        "environment": "environment",
        "redact": "repositoryCredentials",
    },
    "DaemonContainerImage": {"name": "containerName", "id": "imageDigest", "image": "image"},
    "DaemonDeployment": {
        "keep": "status createdAt startedAt stoppedAt finishedAt",
        "inside": (
            "targetDaemonRevision sourceDaemonRevisions circuitBreaker alarms rollback "
            "deploymentConfiguration"
        ),
        "arn": "daemonDeploymentArn clusterArn",
        "text": "statusReason",
    },
    "DaemonDeploymentAlarms": {"keep": "status", "name": "alarmNames triggeredAlarmNames"},
    "DaemonDeploymentCapacityProvider": {
        "keep": "runningInstanceCount withoutDaemonInstanceCount drainingInstanceCount",
        "arn": "arn",
    },
    "DaemonDeploymentConfiguration": {
        "keep": "drainPercent bakeTimeInMinutes",
        "inside": "alarms",
    },
    "DaemonDeploymentRevisionDetail": {
        "keep": (
            "totalRunningInstanceCount totalWithoutDaemonInstanceCount totalDrainingInstanceCount"
        ),
        "inside": "capacityProviders",
        "arn": "arn",
    },
    "DaemonDeploymentSummary": {
        "keep": "status createdAt startedAt stoppedAt finishedAt",
        "arn": "daemonDeploymentArn daemonArn clusterArn targetDaemonRevisionArn",
        "text": "statusReason",
    },
    "DaemonDetail": {
        "keep": "status createdAt updatedAt",
        "inside": "currentRevisions",
        "arn": "daemonArn clusterArn deploymentArn",
    },
    "DaemonLinuxParameters": {
        "keep": "initProcessEnabled",
        "inside": "capabilities devices tmpfs",
    },
    "DaemonNotActiveException": {"text": "message"},
    "DaemonNotFoundException": {"text": "message"},
    "DaemonRevision": {
        "keep": "createdAt propagateTags enableECSManagedTags enableExecuteCommand critical",
        "inside": "containerImages",
        "arn": "daemonRevisionArn clusterArn daemonArn daemonTaskDefinitionArn",
    },
    "DaemonRevisionDetail": {
        "keep": "totalRunningCount totalWithoutDaemonCount",
        "inside": "capacityProviders",
        "arn": "arn",
    },
    "DaemonRollback": {
        "keep": "startedAt",
        "arn": "rollbackTargetDaemonRevisionArn rollbackCapacityProviders",
        "text": "reason",
    },
    "DaemonSummary": {"keep": "status createdAt updatedAt", "arn": "daemonArn"},
    "DaemonTaskDefinition": {
        "keep": "revision cpu memory status registeredAt deleteRequestedAt pidMode ipcMode",
        "inside": "containerDefinitions volumes",
        "name": "family",
        "arn": "daemonTaskDefinitionArn taskRoleArn executionRoleArn registeredBy",
    },
    "DaemonTaskDefinitionSummary": {
        "keep": "registeredAt deleteRequestedAt status",
        "arn": "arn registeredBy",
    },
    "DaemonVolume": {"inside": "host logDriverVolumeConfiguration", "name": "name"},
    "DeleteAccountSettingRequest": {"keep": "name", "arn": "principalArn"},
    "DeleteAccountSettingResponse": {"inside": "setting"},
    "DeleteAttributesRequest": {"attributes": "attributes", "arn": "cluster"},
    "DeleteAttributesResponse": {"attributes": "attributes"},
    "DeleteCapacityProviderRequest": {"arn": "capacityProvider cluster"},
    "DeleteCapacityProviderResponse": {"inside": "capacityProvider"},
    "DeleteClusterRequest": {"arn": "cluster"},
    "DeleteClusterResponse": {"inside": "cluster"},
    "DeleteDaemonRequest": {"arn": "daemonArn"},
    "DeleteDaemonResponse": {
        "keep": "status createdAt updatedAt",
        "arn": "daemonArn deploymentArn",
    },
    "DeleteDaemonTaskDefinitionRequest": {"arn": "daemonTaskDefinition"},
    "DeleteDaemonTaskDefinitionResponse": {"arn": "daemonTaskDefinitionArn"},
    "DeleteExpressGatewayServiceRequest": {"arn": "serviceArn"},
    "DeleteExpressGatewayServiceResponse": {"inside": "service"},
    "DeleteGatewayRequest": {"arn": "gateway"},
    "DeleteGatewayResponse": {"keep": "status", "name": "name", "arn": "gatewayArn"},
    "DeleteServiceRequest": {"keep": "force", "arn": "cluster service"},
    "DeleteServiceResponse": {"inside": "service"},
    "DeleteTaskDefinitionsRequest": {"arn": "taskDefinitions"},
    "DeleteTaskDefinitionsResponse": {"inside": "taskDefinitions failures"},
    "DeleteTaskSetRequest": {"keep": "force", "arn": "cluster service taskSet"},
    "DeleteTaskSetResponse": {"inside": "taskSet"},
    "Deployment": {
        "keep": (
            "status desiredCount pendingCount runningCount failedTasks createdAt updatedAt "
            "launchType platformVersion platformFamily rolloutState"
        ),
        "id": "id",
        "inside": (
            "capacityProviderStrategy networkConfiguration serviceConnectConfiguration "
            "serviceConnectResources volumeConfigurations fargateEphemeralStorage "
            "vpcLatticeConfigurations"
        ),
        "arn": "taskDefinition",
        "text": "rolloutStateReason",
    },
    "DeploymentAlarms": {"keep": "rollback enable", "name": "alarmNames"},
    "DeploymentCircuitBreaker": {
        "keep": "enable rollback resetOnHealthyTask",
        "inside": "thresholdConfiguration",
    },
    "DeploymentConfiguration": {
        "keep": "maximumPercent minimumHealthyPercent strategy bakeTimeInMinutes",
        "inside": (
            "deploymentCircuitBreaker alarms lifecycleHooks linearConfiguration "
            "canaryConfiguration earlySuccessCriteria"
        ),
    },
    "DeploymentController": {"keep": "type"},
    "DeploymentEarlySuccessCriteria": {
        "keep": "enable healthyPercent sourceServiceRevisionCleanup",
    },
    "DeploymentEphemeralStorage": {"arn": "kmsKeyId"},
    "DeploymentLifecycleHook": {
        "keep": "targetType lifecycleStages",
        "inside": "hookDetails timeoutConfiguration",
        "arn": "hookTargetArn roleArn",
    },
    "DeploymentLifecycleHookDetail": {
        "keep": "targetType status expiresAt timeoutAction",
        "arn": "targetArn",
        "id": "hookId",
    },
    "DeploymentLifecycleHookTimeoutConfiguration": {"keep": "timeoutInMinutes action"},
    "DeregisterContainerInstanceRequest": {"keep": "force", "arn": "cluster containerInstance"},
    "DeregisterContainerInstanceResponse": {"inside": "containerInstance"},
    "DeregisterTaskDefinitionRequest": {"arn": "taskDefinition"},
    "DeregisterTaskDefinitionResponse": {"inside": "taskDefinition"},
    "DescribeCapacityProvidersRequest": {
        "keep": "include maxResults",
        "arn": "capacityProviders cluster",
        "token": "nextToken",
    },
    "DescribeCapacityProvidersResponse": {
        "inside": "capacityProviders failures",
        "token": "nextToken",
    },
    "DescribeClustersRequest": {"keep": "include", "arn": "clusters"},
    "DescribeClustersResponse": {"inside": "clusters failures"},
    "DescribeContainerInstancesRequest": {"keep": "include", "arn": "cluster containerInstances"},
    "DescribeContainerInstancesResponse": {"inside": "containerInstances failures"},
    "DescribeDaemonDeploymentsRequest": {"arn": "daemonDeploymentArns"},
    "DescribeDaemonDeploymentsResponse": {"inside": "failures daemonDeployments"},
    "DescribeDaemonRequest": {"arn": "daemonArn"},
    "DescribeDaemonResponse": {"inside": "daemon"},
    "DescribeDaemonRevisionsRequest": {"arn": "daemonRevisionArns"},
    "DescribeDaemonRevisionsResponse": {"inside": "daemonRevisions failures"},
    "DescribeDaemonTaskDefinitionRequest": {"arn": "daemonTaskDefinition"},
    "DescribeDaemonTaskDefinitionResponse": {"inside": "daemonTaskDefinition"},
    "DescribeExpressGatewayServiceRequest": {"keep": "include", "arn": "serviceArn"},
    "DescribeExpressGatewayServiceResponse": {"inside": "service"},
    "DescribeGatewayAlbConfiguration": {
        "keep": "scheme port protocol maxAlbCount currentAlbCount httpDesync",
        "inside": "networkConfiguration accessLogs testTrafficRules",
        "arn": "webACLArn",
    },
    "DescribeGatewayConfiguration": {"inside": "hostSharedAlb"},
    "DescribeGatewayRequest": {"arn": "gateway"},
    "DescribeGatewayResourcesRequest": {
        "keep": "maxResults",
        "arn": "gateway",
        "token": "nextToken",
    },
    "DescribeGatewayResourcesResponse": {"inside": "gatewayResources", "token": "nextToken"},
    "DescribeGatewayResponse": {"inside": "gateway"},
    "DescribeGatewayRouteRequest": {"arn": "gatewayRouteArn"},
    "DescribeGatewayRouteResponse": {"inside": "gatewayRoute"},
    "DescribeServiceDeploymentsRequest": {"arn": "serviceDeploymentArns"},
    "DescribeServiceDeploymentsResponse": {"inside": "serviceDeployments failures"},
    "DescribeServiceRevisionsRequest": {"arn": "serviceRevisionArns"},
    "DescribeServiceRevisionsResponse": {"inside": "serviceRevisions failures"},
    "DescribeServicesRequest": {"keep": "include", "arn": "cluster services"},
    "DescribeServicesResponse": {"inside": "services failures"},
    "DescribeTaskDefinitionRequest": {"keep": "include", "arn": "taskDefinition"},
    "DescribeTaskDefinitionResponse": {"inside": "taskDefinition", "tags": "tags"},
    "DescribeTaskSetsRequest": {"keep": "include", "arn": "cluster service taskSets"},
    "DescribeTaskSetsResponse": {"inside": "taskSets failures"},
    "DescribeTasksRequest": {"keep": "include", "arn": "cluster tasks"},
    "DescribeTasksResponse": {"inside": "tasks failures"},
    "Device": {"keep": "permissions", "name": "hostPath containerPath"},
    "DisassociateGatewayFromClusterRequest": {"arn": "gateway cluster"},
    "DisassociateGatewayFromClusterResponse": {"keep": "status", "arn": "gatewayArn clusterArn"},
    "DiscoverPollEndpointRequest": {"arn": "containerInstance cluster"},
    "DiscoverPollEndpointResponse": {"host": "endpoint telemetryEndpoint serviceConnectEndpoint"},
    "DockerVolumeConfiguration": {
        "keep": "scope autoprovision driver",
        "labels": "driverOpts labels",
    },
    "EBSTagSpecification": {"keep": "resourceType propagateTags", "tags": "tags"},
    "ECSExpressGatewayService": {
        "keep": "createdAt updatedAt",
        "inside": "status activeConfigurations",
        "name": "serviceName",
        "arn": "cluster serviceArn infrastructureRoleArn currentDeployment",
        "tags": "tags",
    },
    "ECSManagedResources": {
        "inside": (
            "ingressPaths autoScaling metricAlarms serviceSecurityGroups logGroups "
            "gatewayConnections"
        ),
    },
    "EFSAuthorizationConfig": {"keep": "iam", "id": "accessPointId"},
    "EFSVolumeConfiguration": {
        "keep": "transitEncryption transitEncryptionPort",
        "inside": "authorizationConfig",
        "name": "rootDirectory",
        "id": "fileSystemId",
    },
    "ElbGatewayResources": {
        "arn": "loadBalancerArn listenerArn gatewayRouteArns",
        "id": "securityGroup",
    },
    "EnvironmentFile": {"keep": "type", "arn": "value"},
    "EphemeralStorage": {"keep": "sizeInGiB"},
    "ExecuteCommandConfiguration": {
        "keep": "logging",
        "inside": "logConfiguration",
        "arn": "kmsKeyId",
    },
    "ExecuteCommandLogConfiguration": {
        "keep": "cloudWatchEncryptionEnabled s3EncryptionEnabled",
        "name": "cloudWatchLogGroupName s3BucketName s3KeyPrefix",
    },
    "ExecuteCommandRequest": {
        "keep": "interactive",
        "name": "container",
        "arn": "cluster task",
        "command": "command",
    },
    "ExecuteCommandResponse": {
        "keep": "interactive",
        "inside": "session",
        "name": "containerName",
        "arn": "clusterArn containerArn taskArn",
    },
    "ExpressGatewayContainer": {
        "keep": "containerPort",
        "inside": "awsLogsConfiguration repositoryCredentials secrets",
        "image": "image",
        "command": "command",
        "environment": "environment",
    },
    "ExpressGatewayRepositoryCredentials": {"arn": "credentialsParameter"},
    "ExpressGatewayScalingTarget": {
        "keep": "minTaskCount maxTaskCount autoScalingMetric autoScalingTargetValue",
    },
    "ExpressGatewayServiceAwsLogsConfiguration": {"name": "logGroup logStreamPrefix"},
    "ExpressGatewayServiceConfiguration": {
        "keep": "cpu memory cpuArchitecture createdAt",
        "inside": "networkConfiguration primaryContainer scalingTarget ingressPaths",
        "name": "healthCheckPath",
        "arn": "serviceRevisionArn executionRoleArn taskRoleArn taskDefinitionArn",
    },
    "ExpressGatewayServiceNetworkConfiguration": {"id": "securityGroups subnets"},
    "ExpressGatewayServiceStatus": {"keep": "statusCode", "text": "statusReason"},
    "FSxWindowsFileServerAuthorizationConfig": {"arn": "credentialsParameter", "host": "domain"},
    "FSxWindowsFileServerVolumeConfiguration": {
        "inside": "authorizationConfig",
        "name": "rootDirectory",
        "id": "fileSystemId",
    },
    "Failure": {"arn": "arn", "text": "reason detail"},
    "FirelensConfiguration": {"keep": "type", "options": "options"},
    "Gateway": {
        "keep": "status deletionProtection accessType propagateTags createdAt updatedAt",
        "inside": "failures configuration",
        "name": "name",
        "arn": "gatewayArn infrastructureRoleArn",
        "text": "statusReason",
        "tags": "tags",
    },
    "GatewayAlbTestTrafficRules": {"inside": "header"},
    "GatewayClusterAssociationSummary": {"keep": "status", "arn": "gatewayArn clusterArn"},
    "GatewayConfiguration": {"inside": "hostSharedAlb"},
    "GatewayConnection": {
        "keep": "accessType status",
        "inside": "resources",
        "name": "portName",
        "arn": "gatewayArn gatewayRouteArn",
        "text": "serviceUrl",
    },
    "GatewayConnectionAlbResources": {
        "arn": (
            "acmCertificateArn loadBalancerArn loadBalancerSecurityGroupArns listenerArn "
            "listenerRuleArn testListenerRuleArn targetGroupArn alternateTargetGroupArn"
        ),
    },
    "GatewayConnectionResources": {"inside": "hostSharedAlb"},
    "GatewayConnector": {"inside": "healthCheck filters deregistrationDelay", "name": "portName"},
    "GatewayConnectorDeregistrationDelay": {"keep": "timeoutSeconds"},
    "GatewayConnectorFilters": {"keep": "accessTypes"},
    "GatewayConnectorHealthCheck": {
        "keep": (
            "healthCheckProtocol healthCheckPort healthCheckTimeoutSeconds "
            "healthCheckIntervalSeconds healthyThresholdCount unhealthyThresholdCount"
        ),
        "inside": "matcher",
        "name": "healthCheckPath",
    },
    "GatewayConnectorHealthCheckMatcher": {"keep": "httpCode grpcCode"},
    "GatewayElbAccessLogConfiguration": {"inside": "destination"},
    "GatewayElbAccessLogDestination": {"inside": "s3"},
    "GatewayElbAccessLogS3Destination": {"name": "bucket prefix"},
    "GatewayElbNetworkConfiguration": {
        "keep": "ipAddressType",
        "id": "inboundSecurityGroup subnets",
    },
    "GatewayInfrastructureResources": {"inside": "hostSharedAlb"},
    "GatewayNotFoundException": {"text": "message"},
    "GatewayOperationError": {"keep": "operation code", "text": "message"},
    "GatewayResourceFailure": {"inside": "errors", "arn": "arn"},
    "GatewayResources": {"inside": "resources", "arn": "gatewayArn"},
    "GatewayRoute": {
        "keep": "status",
        "inside": "resources",
        "name": "serviceContainerPortName",
        "arn": "gatewayRouteArn serviceArn",
        "text": "serviceUrl",
    },
    "GatewayRouteAlbResources": {
        "inside": "loadBalancerSecurityGroups",
        "arn": (
            "acmCertificateArn loadBalancerArn listenerArn listenerRuleArn testListenerRuleArns "
            "serviceSecurityGroupArn"
        ),
    },
    "GatewayRouteLoadBalancerSecurityGroup": {"arn": "arn ruleArns"},
    "GatewayRouteResources": {"inside": "hostSharedAlb"},
    "GatewayRouteSummary": {
        "keep": "status",
        "name": "serviceContainerPortName",
        "arn": "gatewayRouteArn gatewayArn clusterArn serviceArn",
    },
    "GatewaySummary": {"keep": "status createdAt", "name": "name", "arn": "gatewayArn"},
    "GatewayTestTrafficHeader": {"name": "name", "redact": "values"},
    "GetTaskProtectionRequest": {"arn": "cluster tasks"},
    "GetTaskProtectionResponse": {"inside": "protectedTasks failures"},
    "GpuDevice": {
        "keep": "sharingMode totalMemoryInMiB remainingMemoryInMiB containerCount",
        "id": "gpuId",
    },
    "HealthCheck": {"keep": "interval timeout retries startPeriod", "command": "command"},
    "HookDetails": {},
    "HostEntry": {"text": "ipAddress", "host": "hostname"},
    "HostSharedAlbConfiguration": {
        "keep": "scheme port protocol maxAlbCount httpDesync",
        "inside": "networkConfiguration accessLogs testTrafficRules",
        "arn": "webACLArn",
    },
    "HostVolumeProperties": {"name": "sourcePath"},
    "InferenceAccelerator": {"keep": "deviceName deviceType"},
    "InferenceAcceleratorOverride": {"keep": "deviceName deviceType"},
    "InfrastructureOptimization": {"keep": "scaleInAfter"},
    "IngressPathSummary": {"keep": "accessType", "host": "endpoint"},
    "InstanceHealthCheckResult": {
        "keep": "type status lastUpdated lastStatusChange",
        "text": "statusReason",
    },
    "InstanceLaunchTemplate": {
        "keep": (
            "monitoring capacityOptionType instanceMetadataTagsPropagation fipsEnabled "
            "nitroEnclavesEnabled"
        ),
        "inside": (
            "networkConfiguration storageConfiguration localStorageConfiguration "
            "instanceRequirements capacityReservations"
        ),
        "arn": "ec2InstanceProfileArn",
    },
    "InstanceLaunchTemplateUpdate": {
        "keep": "instanceMetadataTagsPropagation monitoring",
        "inside": (
            "networkConfiguration storageConfiguration localStorageConfiguration "
            "instanceRequirements capacityReservations"
        ),
        "arn": "ec2InstanceProfileArn",
    },
    "InstanceRequirementsRequest": {
        "keep": (
            "cpuManufacturers excludedInstanceTypes instanceGenerations "
            "spotMaxPricePercentageOverLowestPrice onDemandMaxPricePercentageOverLowestPrice "
            "bareMetal burstablePerformance requireHibernateSupport localStorage "
            "localStorageTypes acceleratorTypes acceleratorManufacturers acceleratorNames "
            "allowedInstanceTypes maxSpotPriceAsPercentageOfOptimalOnDemandPrice"
        ),
        "inside": (
            "vCpuCount memoryMiB memoryGiBPerVCpu networkInterfaceCount totalLocalStorageGB "
            "baselineEbsBandwidthMbps acceleratorCount acceleratorTotalMemoryMiB "
            "networkBandwidthGbps"
        ),
    },
    "InvalidParameterException": {"text": "message"},
    "KernelCapabilities": {"keep": "add drop"},
    "KeyValuePair": {"name": "name", "redact": "value"},
    "LimitExceededException": {"text": "message"},
    "LinearConfiguration": {"keep": "stepPercent stepBakeTimeInMinutes"},
    "LinuxParameters": {
        "keep": "initProcessEnabled sharedMemorySize maxSwap swappiness",
        "inside": "capabilities devices tmpfs",
    },
    "ListAccountSettingsRequest": {
        "keep": "name effectiveSettings maxResults",
        "arn": "principalArn",
        "text": "value",
        "token": "nextToken",
    },
    "ListAccountSettingsResponse": {"inside": "settings", "token": "nextToken"},
    "ListAttributesRequest": {
        "keep": "targetType maxResults",
        "name": "attributeName",
        "redact": "attributeValue",
        "arn": "cluster",
        "token": "nextToken",
    },
    "ListAttributesResponse": {"attributes": "attributes", "token": "nextToken"},
    "ListClustersRequest": {"keep": "maxResults", "token": "nextToken"},
    "ListClustersResponse": {"arn": "clusterArns", "token": "nextToken"},
    "ListContainerInstancesRequest": {
        "keep": "maxResults status",
        "arn": "cluster",
        "expression": "filter",
        "token": "nextToken",
    },
    "ListContainerInstancesResponse": {"arn": "containerInstanceArns", "token": "nextToken"},
    "ListDaemonDeploymentsRequest": {
        "keep": "status maxResults",
        "inside": "createdAt",
        "arn": "daemonArn",
        "token": "nextToken",
    },
    "ListDaemonDeploymentsResponse": {"inside": "daemonDeployments", "token": "nextToken"},
    "ListDaemonTaskDefinitionsRequest": {
        "keep": "revision status sort maxResults",
        "name": "familyPrefix family",
        "token": "nextToken",
    },
    "ListDaemonTaskDefinitionsResponse": {"inside": "daemonTaskDefinitions", "token": "nextToken"},
    "ListDaemonsRequest": {
        "keep": "maxResults",
        "arn": "clusterArn capacityProviderArns",
        "token": "nextToken",
    },
    "ListDaemonsResponse": {"inside": "daemonSummariesList", "token": "nextToken"},
    "ListGatewayClusterAssociationsRequest": {
        "keep": "status maxResults",
        "arn": "gateway cluster",
        "token": "nextToken",
    },
    "ListGatewayClusterAssociationsResponse": {
        "inside": "gatewayClusterAssociations",
        "token": "nextToken",
    },
    "ListGatewayRoutesRequest": {
        "keep": "status maxResults",
        "name": "serviceContainerPortName",
        "arn": "gateway cluster service",
        "token": "nextToken",
    },
    "ListGatewayRoutesResponse": {"inside": "gatewayRoutes", "token": "nextToken"},
    "ListGatewaysRequest": {"keep": "status maxResults", "name": "names", "token": "nextToken"},
    "ListGatewaysResponse": {"inside": "gateways", "token": "nextToken"},
    "ListServiceDeploymentsRequest": {
        "keep": "status maxResults",
        "inside": "createdAt",
        "arn": "service cluster",
        "token": "nextToken",
    },
    "ListServiceDeploymentsResponse": {"inside": "serviceDeployments", "token": "nextToken"},
    "ListServicesByNamespaceRequest": {
        "keep": "maxResults",
        "host": "namespace",
        "token": "nextToken",
    },
    "ListServicesByNamespaceResponse": {"arn": "serviceArns", "token": "nextToken"},
    "ListServicesRequest": {
        "keep": "maxResults launchType schedulingStrategy resourceManagementType",
        "arn": "cluster",
        "token": "nextToken",
    },
    "ListServicesResponse": {"arn": "serviceArns", "token": "nextToken"},
    "ListTagsForResourceRequest": {"arn": "resourceArn"},
    "ListTagsForResourceResponse": {"tags": "tags"},
    "ListTaskDefinitionFamiliesRequest": {
        "keep": "status maxResults",
        "name": "familyPrefix",
        "token": "nextToken",
    },
    "ListTaskDefinitionFamiliesResponse": {"name": "families", "token": "nextToken"},
    "ListTaskDefinitionsRequest": {
        "keep": "status sort maxResults",
        "name": "familyPrefix",
        "token": "nextToken",
    },
    "ListTaskDefinitionsResponse": {"arn": "taskDefinitionArns", "token": "nextToken"},
    "ListTasksRequest": {
        "keep": "maxResults desiredStatus launchType",
        "name": "family serviceName daemonName",
        "arn": "cluster containerInstance startedBy",
        "token": "nextToken",
    },
    "ListTasksResponse": {"arn": "taskArns", "token": "nextToken"},
    "LoadBalancer": {
        "keep": "containerPort",
        "inside": "advancedConfiguration",
        "name": "loadBalancerName containerName",
        "arn": "targetGroupArn",
    },
    "LogConfiguration": {"keep": "logDriver", "inside": "secretOptions", "options": "options"},
    "LogDriverVolumeConfiguration": {"keep": "driver"},
    "ManagedAgent": {"keep": "lastStartedAt name lastStatus", "text": "reason"},
    "ManagedAgentStateChange": {
        "keep": "managedAgentName status",
        "name": "containerName",
        "text": "reason",
    },
    "ManagedApplicationAutoScalingPolicy": {
        "keep": "status updatedAt policyType targetValue metric",
        "arn": "arn",
        "text": "statusReason",
    },
    "ManagedAutoScaling": {"inside": "scalableTarget applicationAutoScalingPolicies"},
    "ManagedCertificate": {
        "keep": "status updatedAt",
        "arn": "arn",
        "text": "statusReason",
        "host": "domainName",
    },
    "ManagedIngressPath": {
        "keep": "accessType",
        "inside": "loadBalancer loadBalancerSecurityGroups certificate listener rule targetGroups",
        "host": "endpoint",
    },
    "ManagedInstancesLocalStorageConfiguration": {"keep": "useLocalStorage"},
    "ManagedInstancesNetworkConfiguration": {"id": "subnets securityGroups"},
    "ManagedInstancesProvider": {
        "keep": "propagateTags",
        "inside": "instanceLaunchTemplate infrastructureOptimization autoRepairConfiguration",
        "arn": "infrastructureRoleArn",
    },
    "ManagedInstancesStorageConfiguration": {"keep": "storageSizeGiB"},
    "ManagedListener": {"keep": "status updatedAt", "arn": "arn", "text": "statusReason"},
    "ManagedListenerRule": {"keep": "status updatedAt", "arn": "arn", "text": "statusReason"},
    "ManagedLoadBalancer": {
        "keep": "status updatedAt scheme",
        "arn": "arn",
        "id": "subnetIds securityGroupIds",
        "text": "statusReason",
    },
    "ManagedLogGroup": {
        "keep": "status updatedAt",
        "name": "logGroupName",
        "arn": "arn",
        "text": "statusReason",
    },
    "ManagedMetricAlarm": {"keep": "status updatedAt", "arn": "arn", "text": "statusReason"},
    "ManagedScalableTarget": {
        "keep": "status updatedAt minCapacity maxCapacity",
        "arn": "arn",
        "text": "statusReason",
    },
    "ManagedScaling": {
        "keep": (
            "status targetCapacity minimumScalingStepSize maximumScalingStepSize "
            "instanceWarmupPeriod"
        ),
    },
    "ManagedSecurityGroup": {"keep": "status updatedAt", "arn": "arn", "text": "statusReason"},
    "ManagedStorageConfiguration": {"arn": "kmsKeyId fargateEphemeralStorageKmsKeyId"},
    "ManagedTargetGroup": {
        "keep": "status updatedAt healthCheckPort port",
        "name": "healthCheckPath",
        "arn": "arn",
        "text": "statusReason",
    },
    "MemoryGiBPerVCpuRequest": {"keep": "min max"},
    "MemoryMiBRequest": {"keep": "min max"},
    "MetricConfiguration": {"keep": "metricNames resolutionSeconds"},
    "MissingVersionException": {"text": "message"},
    "MonitoringConfiguration": {"inside": "metricConfigurations"},
    "MountPoint": {"keep": "readOnly", "name": "sourceVolume containerPath"},
    "NamespaceNotFoundException": {"text": "message"},
    "NetworkBandwidthGbpsRequest": {"keep": "min max"},
    "NetworkBinding": {
        "keep": "containerPort hostPort protocol containerPortRange hostPortRange",
        "text": "bindIP",
    },
    "NetworkConfiguration": {"inside": "awsvpcConfiguration"},
    "NetworkInterface": {"id": "attachmentId", "text": "privateIpv4Address ipv6Address"},
    "NetworkInterfaceCountRequest": {"keep": "min max"},
    "NoUpdateAvailableException": {"text": "message"},
    "NvidiaMpsAllocation": {"keep": "memory maxComputePercent"},
    "PlacementConstraint": {"keep": "type", "expression": "expression"},
    "PlacementStrategy": {"keep": "type field"},
    "PlatformDevice": {"keep": "type", "id": "id"},
    "PlatformTaskDefinitionIncompatibilityException": {"text": "message"},
    "PlatformUnknownException": {"text": "message"},
    "PortMapping": {
        "keep": "containerPort hostPort protocol appProtocol containerPortRange",
        "name": "name",
    },
    "ProtectedTask": {"keep": "protectionEnabled expirationDate", "arn": "taskArn"},
    "ProxyConfiguration": {"keep": "type", "name": "containerName", "properties": "properties"},
    "PutAccountSettingDefaultRequest": {"keep": "name", "text": "value"},
    "PutAccountSettingDefaultResponse": {"inside": "setting"},
    "PutAccountSettingRequest": {"keep": "name", "arn": "principalArn", "text": "value"},
    "PutAccountSettingResponse": {"inside": "setting"},
    "PutAttributesRequest": {"attributes": "attributes", "arn": "cluster"},
    "PutAttributesResponse": {"attributes": "attributes"},
    "PutClusterCapacityProvidersRequest": {
        "inside": "defaultCapacityProviderStrategy",
        "arn": "cluster capacityProviders",
    },
    "PutClusterCapacityProvidersResponse": {"inside": "cluster"},
    "RegisterContainerInstanceRequest": {
        "inside": "totalResources versionInfo platformDevices",
        "attributes": "attributes",
        "arn": "cluster containerInstanceArn",
        "tags": "tags",
        "redact": "instanceIdentityDocument instanceIdentityDocumentSignature",
    },
    "RegisterContainerInstanceResponse": {"inside": "containerInstance"},
    "RegisterDaemonTaskDefinitionRequest": {
        "keep": "cpu memory pidMode ipcMode",
        "inside": "containerDefinitions volumes",
        "name": "family",
        "arn": "taskRoleArn executionRoleArn",
        "tags": "tags",
    },
    "RegisterDaemonTaskDefinitionResponse": {"arn": "daemonTaskDefinitionArn"},
    "RegisterTaskDefinitionRequest": {
        "keep": (
            "networkMode requiresCompatibilities cpu memory pidMode ipcMode enableFaultInjection"
        ),
        "inside": (
            "containerDefinitions volumes placementConstraints proxyConfiguration "
            "inferenceAccelerators ephemeralStorage runtimePlatform "
            "trustedExecutionConfiguration"
        ),
        "name": "family",
        "arn": "taskRoleArn executionRoleArn",
        "tags": "tags",
    },
    "RegisterTaskDefinitionResponse": {"inside": "taskDefinition", "tags": "tags"},
    "RepositoryCredentials": {"arn": "credentialsParameter"},
    "ResolvedConfiguration": {"inside": "loadBalancers vpcLatticeConfigurations"},
    "Resource": {"keep": "name type doubleValue longValue integerValue stringSetValue"},
    "ResourceInUseException": {"text": "message"},
    "ResourceNotFoundException": {"text": "message"},
    "ResourceRequirement": {"keep": "value type", "inside": "sharingStrategy"},
    "Rollback": {"keep": "startedAt", "arn": "serviceRevisionArn", "text": "reason"},
    "RunTaskRequest": {
        "keep": (
            "count enableECSManagedTags enableExecuteCommand launchType platformVersion "
            "propagateTags"
        ),
        "inside": (
            "capacityProviderStrategy networkConfiguration overrides placementConstraints "
            "placementStrategy volumeConfigurations"
        ),
        "arn": "cluster group startedBy taskDefinition",
        "text": "referenceId",
        "tags": "tags",
        "redact": "clientToken",
    },
    "RunTaskResponse": {"inside": "tasks failures"},
    "RuntimePlatform": {"keep": "cpuArchitecture operatingSystemFamily"},
    "RuntimePlatformOverride": {"keep": "cpuArchitecture"},
    "S3FilesVolumeConfiguration": {
        "keep": "transitEncryptionPort",
        "name": "rootDirectory",
        "arn": "fileSystemArn accessPointArn",
    },
    "Scale": {"keep": "value unit"},
    "Secret": {"name": "name", "arn": "valueFrom"},
    "ServerException": {"text": "message"},
    "Service": {
        "keep": (
            "status desiredCount runningCount pendingCount launchType platformVersion "
            "platformFamily createdAt healthCheckGracePeriodSeconds schedulingStrategy "
            "enableECSManagedTags propagateTags enableExecuteCommand "
            "availabilityZoneRebalancing resourceManagementType"
        ),
        "inside": (
            "loadBalancers serviceRegistries capacityProviderStrategy deploymentConfiguration "
            "taskSets deployments events currentServiceRevisions placementConstraints "
            "placementStrategy networkConfiguration deploymentController"
        ),
        "name": "serviceName",
        "arn": "serviceArn clusterArn taskDefinition roleArn currentServiceDeployment createdBy",
        "tags": "tags",
    },
    "ServiceConnectAccessLogConfiguration": {"keep": "format includeQueryParameters"},
    "ServiceConnectClientAlias": {"keep": "port", "inside": "testTrafficRules", "host": "dnsName"},
    "ServiceConnectConfiguration": {
        "keep": "enabled",
        "inside": "services logConfiguration accessLogConfiguration containerConfigurations",
        "host": "namespace",
    },
    "ServiceConnectContainerConfiguration": {"keep": "logLevel"},
    "ServiceConnectService": {
        "keep": "ingressPortOverride",
        "inside": "clientAliases timeout tls",
        "name": "portName",
        "host": "discoveryName",
    },
    "ServiceConnectServiceResource": {"host": "discoveryName", "arn": "discoveryArn"},
    "ServiceConnectTestTrafficHeaderMatchRules": {"redact": "exact"},
    "ServiceConnectTestTrafficHeaderRules": {"inside": "value", "name": "name"},
    "ServiceConnectTestTrafficRules": {"inside": "header"},
    "ServiceConnectTlsCertificateAuthority": {"arn": "awsPcaAuthorityArn"},
    "ServiceConnectTlsConfiguration": {
        "inside": "issuerCertificateAuthority",
        "arn": "kmsKey roleArn",
    },
    "ServiceCurrentRevisionSummary": {
        "keep": "requestedTaskCount runningTaskCount pendingTaskCount",
        "arn": "arn",
    },
    "ServiceDeployment": {
        "keep": "createdAt startedAt finishedAt stoppedAt updatedAt status lifecycleStage",
        "inside": (
            "sourceServiceRevisions targetServiceRevision lifecycleHookDetails "
            "deploymentConfiguration rollback deploymentCircuitBreaker alarms"
        ),
        "arn": "serviceDeploymentArn serviceArn clusterArn",
        "text": "statusReason",
    },
    "ServiceDeploymentAlarms": {"keep": "status", "name": "alarmNames triggeredAlarmNames"},
    "ServiceDeploymentBrief": {
        "keep": "startedAt createdAt finishedAt status",
        "arn": "serviceDeploymentArn serviceArn clusterArn targetServiceRevisionArn",
        "text": "statusReason",
    },
    "ServiceDeploymentCircuitBreaker": {"keep": "status failureCount threshold"},
    "ServiceDeploymentNotFoundException": {"text": "message"},
    "ServiceEvent": {"keep": "createdAt", "id": "id", "text": "message"},
    "ServiceManagedEBSVolumeConfiguration": {
        "keep": (
            "encrypted volumeType sizeInGiB volumeInitializationRate iops throughput filesystemType"
        ),
        "inside": "tagSpecifications",
        "arn": "kmsKeyId roleArn",
        "id": "snapshotId",
    },
    "ServiceNotActiveException": {"text": "message"},
    "ServiceNotFoundException": {"text": "message"},
    "ServiceRegistry": {
        "keep": "port containerPort",
        "name": "containerName",
        "arn": "registryArn",
    },
    "ServiceRevision": {
        "keep": "launchType platformVersion platformFamily guardDutyEnabled createdAt",
        "inside": (
            "capacityProviderStrategy loadBalancers serviceRegistries networkConfiguration "
            "containerImages serviceConnectConfiguration volumeConfigurations "
            "fargateEphemeralStorage vpcLatticeConfigurations resolvedConfiguration "
            "ecsManagedResources overrides gatewayConnectors monitoring"
        ),
        "arn": "serviceRevisionArn serviceArn clusterArn taskDefinition",
    },
    "ServiceRevisionLoadBalancer": {"arn": "targetGroupArn productionListenerRule"},
    "ServiceRevisionOverrides": {"inside": "runtimePlatform"},
    "ServiceRevisionSummary": {
        "keep": (
            "requestedTaskCount runningTaskCount pendingTaskCount requestedTestTrafficWeight "
            "requestedProductionTrafficWeight"
        ),
        "arn": "arn",
    },
    "ServiceRevisionVpcLatticeConfiguration": {"arn": "targetGroupArn productionListenerRule"},
    "ServiceVolumeConfiguration": {"inside": "managedEBSVolume", "name": "name"},
    "Session": {"id": "sessionId", "redact": "streamUrl tokenValue"},
    "Setting": {"keep": "name type value", "arn": "principalArn"},
    "SharingStrategy": {"inside": "nvidiaMps"},
    "StartTaskRequest": {
        "keep": "enableECSManagedTags enableExecuteCommand propagateTags",
        "inside": "networkConfiguration overrides volumeConfigurations",
        "arn": "cluster containerInstances group startedBy taskDefinition",
        "text": "referenceId",
        "tags": "tags",
    },
    "StartTaskResponse": {"inside": "tasks failures"},
    "StopServiceDeploymentRequest": {"keep": "stopType", "arn": "serviceDeploymentArn"},
    "StopServiceDeploymentResponse": {"arn": "serviceDeploymentArn"},
    "StopTaskRequest": {"arn": "cluster task", "text": "reason"},
    "StopTaskResponse": {"inside": "task"},
    "SubmitAttachmentStateChangesRequest": {"inside": "attachments", "arn": "cluster"},
    "SubmitAttachmentStateChangesResponse": {"text": "acknowledgment"},
    "SubmitContainerStateChangeRequest": {
        "keep": "status exitCode",
        "inside": "networkBindings",
        "name": "containerName",
        "arn": "cluster task",
        "id": "runtimeId",
        "text": "reason",
    },
    "SubmitContainerStateChangeResponse": {"text": "acknowledgment"},
    "SubmitTaskStateChangeRequest": {
        "keep": "status pullStartedAt pullStoppedAt executionStoppedAt",
        "inside": "containers attachments managedAgents",
        "arn": "cluster task",
        "text": "reason",
    },
    "SubmitTaskStateChangeResponse": {"text": "acknowledgment"},
    "SystemControl": {"keep": "namespace value"},
    "Tag": {"text": "key", "redact": "value"},
    "TagResourceRequest": {"arn": "resourceArn", "tags": "tags"},
    "TagResourceResponse": {},
    "TargetNotConnectedException": {"text": "message"},
    "TargetNotFoundException": {"text": "message"},
    "Task": {
        "keep": (
            "availabilityZone connectivity connectivityAt cpu createdAt desiredStatus "
            "enableExecuteCommand executionStoppedAt healthStatus lastStatus launchType memory "
            "platformVersion platformFamily pullStartedAt pullStoppedAt startedAt stopCode "
            "stoppedAt stoppingAt version"
        ),
        "inside": (
            "attachments containers inferenceAccelerators overrides ephemeralStorage "
            "fargateEphemeralStorage trustedExecutionSummary"
        ),
        "attributes": "attributes",
        "name": "capacityProviderName",
        "arn": "clusterArn containerInstanceArn group startedBy taskArn taskDefinitionArn",
        "text": "stoppedReason",
        "tags": "tags",
    },
    "TaskDefinition": {
        "keep": (
            "networkMode revision status compatibilities requiresCompatibilities cpu memory "
            "pidMode ipcMode registeredAt deregisteredAt deleteRequestedAt enableFaultInjection"
        ),
        "inside": (
            "containerDefinitions volumes placementConstraints "
            "runtimePlatform inferenceAccelerators proxyConfiguration ephemeralStorage "
            "trustedExecutionConfiguration"
        ),
        "attributes": "requiresAttributes",
        "name": "family",
        "arn": "taskDefinitionArn taskRoleArn executionRoleArn registeredBy",
    },
    "TaskDefinitionPlacementConstraint": {"keep": "type", "expression": "expression"},
    "TaskEphemeralStorage": {"keep": "sizeInGiB", "arn": "kmsKeyId"},
    "TaskManagedEBSVolumeConfiguration": {
        "keep": (
            "encrypted volumeType sizeInGiB volumeInitializationRate iops throughput filesystemType"
        ),
        "inside": "tagSpecifications terminationPolicy",
        "arn": "kmsKeyId roleArn",
        "id": "snapshotId",
    },
    "TaskManagedEBSVolumeTerminationPolicy": {"keep": "deleteOnTermination"},
    "TaskOverride": {
        "keep": "cpu memory",
        "inside": "containerOverrides inferenceAcceleratorOverrides ephemeralStorage",
        "arn": "executionRoleArn taskRoleArn",
    },
    "TaskSet": {
        "keep": (
            "status computedDesiredCount pendingCount runningCount createdAt updatedAt "
            "launchType platformVersion platformFamily stabilityStatus stabilityStatusAt"
        ),
        "id": "id",
        "inside": (
            "capacityProviderStrategy networkConfiguration loadBalancers serviceRegistries "
            "scale fargateEphemeralStorage"
        ),
        "name": "externalId",
        "arn": "taskSetArn serviceArn clusterArn startedBy taskDefinition",
        "tags": "tags",
    },
    "TaskSetNotFoundException": {"text": "message"},
    "TaskVolumeConfiguration": {"inside": "managedEBSVolume", "name": "name"},
    "ThresholdConfiguration": {"keep": "type value"},
    "TimeoutConfiguration": {"keep": "idleTimeoutSeconds perRequestTimeoutSeconds"},
    "Tmpfs": {"keep": "size mountOptions", "name": "containerPath"},
    "TotalLocalStorageGBRequest": {"keep": "min max"},
    "TrustedExecutionConfiguration": {"keep": "isolationMode attestationPolicy"},
    "TrustedExecutionSummary": {"keep": "isolationMode attestationPolicyStatus"},
    "Ulimit": {"keep": "name softLimit hardLimit"},
    "UnsupportedFeatureException": {"text": "message"},
    "UntagResourceRequest": {"arn": "resourceArn", "text": "tagKeys"},
    "UntagResourceResponse": {},
    "UpdateCapacityProviderRequest": {
        "inside": "autoScalingGroupProvider managedInstancesProvider",
        "name": "name",
        "arn": "cluster",
    },
    "UpdateCapacityProviderResponse": {"inside": "capacityProvider"},
    "UpdateClusterRequest": {
        "inside": "settings configuration serviceConnectDefaults",
        "arn": "cluster",
    },
    "UpdateClusterResponse": {"inside": "cluster"},
    "UpdateClusterSettingsRequest": {"inside": "settings", "arn": "cluster"},
    "UpdateClusterSettingsResponse": {"inside": "cluster"},
    "UpdateContainerAgentRequest": {"arn": "cluster containerInstance"},
    "UpdateContainerAgentResponse": {"inside": "containerInstance"},
    "UpdateContainerInstancesStateRequest": {
        "keep": "status",
        "arn": "cluster containerInstances",
    },
    "UpdateContainerInstancesStateResponse": {"inside": "containerInstances failures"},
    "UpdateDaemonRequest": {
        "keep": "propagateTags enableECSManagedTags enableExecuteCommand critical",
        "inside": "deploymentConfiguration",
        "arn": "daemonArn daemonTaskDefinitionArn capacityProviderArns",
    },
    "UpdateDaemonResponse": {
        "keep": "status createdAt updatedAt",
        "arn": "daemonArn deploymentArn",
    },
    "UpdateExpressGatewayServiceRequest": {
        "keep": "cpu memory cpuArchitecture",
        "inside": "primaryContainer networkConfiguration scalingTarget",
        "name": "healthCheckPath",
        "arn": "serviceArn executionRoleArn taskRoleArn taskDefinitionArn",
    },
    "UpdateExpressGatewayServiceResponse": {"inside": "service"},
    "UpdateGatewayAlbConfiguration": {
        "keep": "maxAlbCount httpDesync",
        "inside": "networkConfiguration accessLogs testTrafficRules",
        "arn": "webACLArn",
    },
    "UpdateGatewayConfiguration": {"inside": "hostSharedAlb"},
    "UpdateGatewayNetworkConfiguration": {"id": "inboundSecurityGroup"},
    "UpdateGatewayRequest": {
        "keep": "deletionProtection propagateTags",
        "inside": "configuration",
        "arn": "gateway infrastructureRoleArn",
    },
    "UpdateGatewayResponse": {"keep": "status", "name": "name", "arn": "gatewayArn"},
    "UpdateInProgressException": {"text": "message"},
    "UpdateManagedInstancesProviderConfiguration": {
        "keep": "propagateTags",
        "inside": "instanceLaunchTemplate infrastructureOptimization autoRepairConfiguration",
        "arn": "infrastructureRoleArn",
    },
    "UpdateServicePrimaryTaskSetRequest": {"arn": "cluster service primaryTaskSet"},
    "UpdateServicePrimaryTaskSetResponse": {"inside": "taskSet"},
    "UpdateServiceRequest": {
        "keep": (
            "desiredCount availabilityZoneRebalancing platformVersion forceNewDeployment "
            "healthCheckGracePeriodSeconds enableExecuteCommand enableECSManagedTags "
            "propagateTags"
        ),
        "inside": (
            "capacityProviderStrategy deploymentConfiguration networkConfiguration "
            "placementConstraints placementStrategy deploymentController loadBalancers "
            "serviceRegistries serviceConnectConfiguration volumeConfigurations "
            "vpcLatticeConfigurations gatewayConnectors monitoring"
        ),
        "arn": "cluster service taskDefinition",
    },
    "UpdateServiceResponse": {"inside": "service"},
    "UpdateTaskProtectionRequest": {
        "keep": "protectionEnabled expiresInMinutes",
        "arn": "cluster tasks",
    },
    "UpdateTaskProtectionResponse": {"inside": "protectedTasks failures"},
    "UpdateTaskSetRequest": {"inside": "scale", "arn": "cluster service taskSet"},
    "UpdateTaskSetResponse": {"inside": "taskSet"},
    "UpdatedExpressGatewayService": {
        "keep": "createdAt updatedAt",
        "inside": "status targetConfiguration",
        "name": "serviceName",
        "arn": "serviceArn cluster",
    },
    "VCpuCountRangeRequest": {"keep": "min max"},
    "VersionInfo": {"keep": "agentVersion agentHash dockerVersion"},
    "Volume": {
        "keep": "configuredAtLaunch",
        "inside": (
            "host dockerVolumeConfiguration efsVolumeConfiguration s3filesVolumeConfiguration "
            "fsxWindowsFileServerVolumeConfiguration"
        ),
        "name": "name",
    },
    "VolumeFrom": {"keep": "readOnly", "name": "sourceContainer"},
    "VpcLatticeAdvancedConfiguration": {
        "arn": "alternateTargetGroupArn productionListenerRule testListenerRule",
    },
    "VpcLatticeConfiguration": {
        "inside": "advancedConfiguration",
        "name": "portName",
        "arn": "roleArn targetGroupArn",
    },
}

# The details of attachments are name and value pairs; the name decides the treatment.
DETAILS: Mapping[str, str] = {
    "keep": (
        "status deleteOnTermination filesystemType volumeType sizeInGiB encrypted iops "
        "throughput volumeInitializationRate attachmentStatus portName ingressPortOverride port"
    ),
    "name": (
        "volumeName policyName scalingPlanName capacityProviderName containerName ContainerName "
        "serviceName"
    ),
    "arn": (
        "roleArn kmsKeyId targetGroupArn serviceArn loadBalancerArn capacityProviderArn registryArn"
    ),
    "id": (
        "subnetId networkInterfaceId volumeId snapshotId securityGroupId vpcId "
        "allocationId associationId"
    ),
    "text": (
        "macAddress privateIPv4Address privateIpv4Address publicIPv4Address ipv6Address "
        "IPv6Address statusReason clientAliases tagSpecifications"
    ),
    "host": "privateDnsName publicDnsName dnsName namespace discoveryName",
}

# Tags that ECS itself sets: their values are names of resources in the task.
TAGS: Mapping[str, str] = {"name": "aws:ecs:clusterName aws:ecs:serviceName"}

# Options of log drivers whose values are no secrets.
OPTIONS: Mapping[str, str] = {
    "keep": (
        "mode max-buffer-size awslogs-region awslogs-create-group awslogs-datetime-format "
        "max-size max-file compress enable-ecs-log-metadata config-file-type region Name"
    ),
    "name": "awslogs-group awslogs-stream-prefix awslogs-stream tag config-file-value",
}

# The settings of an App Mesh proxy; their values are numbers and addresses.
PROPERTIES: Mapping[str, str] = {
    "keep": "IgnoredUID IgnoredGID ProxyIngressPort ProxyEgressPort AppPorts EgressIgnoredPorts",
    "text": "EgressIgnoredIPs",
}


def by_member(rows: Mapping[str, str]) -> dict[str, str]:
    """The rows of a table, from treatment to members, as a mapping from member to treatment."""
    return {member: treatment for treatment, text in rows.items() for member in text.split()}
