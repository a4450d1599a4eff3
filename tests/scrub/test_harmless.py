"""Harmless values are kept under `standard`, in every member with text, and block nothing."""

from __future__ import annotations

from typing import Any

import pytest

from cassette import model
from cassette.scrub import gate, scrub
from tests.scrub import bodies
from tests.scrub.planting import text_of

HARMLESS = """
Essential container in task exited
OutOfMemoryError: Container killed due to memory usage
Task failed to start
Task failed container health checks
Task stopped by user
Your Spot Task was interrupted.
ECS is performing maintenance on the underlying infrastructure hosting the task
Timeout waiting for network interface provisioning to complete.
Timeout waiting for EphemeralStorage provisioning to complete.
The Service Discovery instance could not be registered.
(service web) has reached a steady state.
(service web) has started 2 tasks.
(service web) has begun draining connections on 1 tasks.
(service web) was unable to place a task because no container instance met all of its requirements.
(service web) (port 8080) is unhealthy in (target-group web) due to (reason Request timed out)
(service web) (port 80) is unhealthy due to (reason Health checks failed with these codes: [502])
(service web) stopped 1 pending tasks.
(service token-service) is unable to consistently start tasks successfully.
ECS deployment circuit breaker: tasks failed to start.
Amazon ECS was unable to assume the role
MemberOf placement constraint unsatisfied.
RESOURCE:MEMORY
CannotPullContainerError: manifest for nginx:1.27-alpine not found: manifest unknown
CannotPullContainerError: pull image manifest has been retried 5 time(s)
CannotPullContainerError: inspect image has been retried 1 time(s): not found
pull access denied, repository does not exist or may require authorization: server message
toomanyrequests: You have reached your pull rate limit.
CannotStartContainerError: Error response from daemon: failed to create shim task
OCI runtime create failed: runc create failed: unable to start container process
exec: "gunicorn": executable file not found in $PATH: unknown
exec format error
ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 1m
CannotInspectContainerError: Could not transition to inspecting
ResourceInitializationError: unable to pull secrets or registry auth
ResourceInitializationError: failed to validate logger args: : signal: killed
The task can't pull the image. Check your network configuration.
unable to retrieve secret from asm: service call has been retried 5 time(s)
failed to create Cloudwatch log stream: ResourceNotFoundException: status code: 400
The specified log group does not exist.
Health checks failed
Alarm web-5xx: threshold crossed: 3 datapoints were greater than the threshold (5.0)
Threshold Crossed: 1 out of the last 1 datapoints [99.95] was greater than the threshold (90.0)
setting desired count to 4, was 2
monitor alarm HighCPU in state ALARM triggered policy scale-out
exit code 137 (SIGKILL)
SIGTERM (15)
/var/run/secrets/kubernetes.io/serviceaccount/token not mounted
request to https://registry.npmjs.org/ failed
could not fetch https://pypi.org/simple/boto3/ in time
secret has no AWSCURRENT version
SELECT id FROM tokens WHERE user_id = $1
INSERT INTO tokens (id, value) VALUES ($1, $2)
password_digest varchar(255)
oauth2: cannot fetch token: 401 Unauthorized
--password is required
option --token must be set
org.springframework.security.authentication.BadCredentialsException: Bad credentials
rest_framework_simplejwt.exceptions.InvalidToken: Token is invalid
ldap_bind: Invalid credentials (49)
credentials at /app/node_modules/@aws-sdk/credential-provider-node/dist-cjs/index.js:130:27
version v1.2.3-rc.1 started
running 1.27.3 on linux/arm64
PlatformVersion 1.4.0
ECS agent 1.89.2
Docker version 25.0.6, build 32b99dd
openjdk version "17.0.9" 2023-10-17
Python 3.12.1 (main, Dec 8 2023, 05:40:51) [GCC 12.2.0]
kernel 5.10.205-195.807.amzn2.x86_64
glibc 2.36-9
Listening on 0.0.0.0:8080
connect ECONNREFUSED 127.0.0.1:5432
localhost:9000 refused
port 32768 in use
memory 512 MiB, cpu 0.25 vCPU
CPU at 99.95% of limit
disk 100% full
progress 12.5% done
stopped after 3600 seconds
took 1m30s
1,234,567 bytes
2024-11-05T12:34:56Z ERROR
2024-11-05 12:34:56,789 WARNING
1730810096
1730810096.123
region us-gov-west-1
availability zone ap-southeast-2c
cron(0 12 * * ? *)
rate(5 minutes)
0 */6 * * 1-5
@daily
java.lang.OutOfMemoryError: Java heap space
Exception in thread "main" java.lang.NullPointerException
at com.example.Main.main(Main.java:42)
Caused by: java.net.ConnectException: Connection refused
java.io.IOException: No space left on device
org.springframework.beans.factory.BeanCreationException: Error creating bean
javax.net.ssl.SSLHandshakeException: PKIX path building failed
io.netty.channel.ConnectTimeoutException: connection timed out
com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure
System.NullReferenceException: Object reference not set to an instance of an object.
Microsoft.AspNetCore.Hosting.Diagnostics
-Xmx512m -Xms256m -XX:+UseG1GC -XX:MaxRAMPercentage=75.0
JAVA_TOOL_OPTIONS: -XX:+ExitOnOutOfMemoryError
goroutine 1 [running]: main.main()
panic: runtime error: index out of range [5] with length 3
panic: runtime error: invalid memory address or nil pointer dereference
/app/main.go:42 +0x1d
context deadline exceeded
dial tcp 127.0.0.1:5432: connect: connection refused
net/http: TLS handshake timeout
Traceback (most recent call last):
File "/app/main.py", line 42, in <module>
ModuleNotFoundError: No module named 'django.core.wsgi'
KeyError: 'database'
ValueError: invalid literal for int() with base 10
sqlalchemy.exc.OperationalError: connection refused
redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379
botocore.exceptions.NoCredentialsError: Unable to locate credentials
botocore.exceptions.ClientError: An error occurred (AccessDeniedException)
celery.worker.consumer started
[2024-11-05 12:00:00 +0000] [7] [INFO] Listening at: http://0.0.0.0:8000 (7)
[CRITICAL] WORKER TIMEOUT (pid:12)
/usr/local/lib/python3.12/site-packages/x.py
Error: Cannot find module 'express'
TypeError: Cannot read properties of undefined (reading 'map')
at Object.<anonymous> (/app/server.js:10:5)
at Module._compile (node:internal/modules/cjs/loader:1105:14)
UnhandledPromiseRejectionWarning: Unhandled promise rejection
node_modules/express/lib/router/index.js:47
FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
npm ERR! code ELIFECYCLE
PHP Fatal error: Uncaught Error in /var/www/html/index.php:3
thread 'main' panicked at src/main.rs:4:5
ActiveRecord::ConnectionNotEstablished
kubernetes.client.rest.ApiException
CMD-SHELL curl -f http://localhost:8080/health || exit 1
CMD curl -f http://127.0.0.1/ping
wget -q --spider http://localhost/healthz
pg_isready -q
redis-cli ping
nginx:1.27.3-alpine3.20
python:3.12.1-slim-bullseye
public.ecr.aws/docker/library/redis:7
docker.io/library/nginx:latest
amazon/amazon-ecs-agent:v1.80.0
web:release_2024-11-05.3
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
See https://docs.docker.com/engine/ for help
see https://github.com/aws/amazon-ecs-agent/issues for known issues
password authentication failed
invalid token
token refresh skipped, retrying in 30s
missing Authorization header
secret not found
api key quota exceeded
password policy not met
Invalid token in expression
unexpected token < in JSON at position 0
password=null
LOG_LEVEL=debug
retry=3 timeout=30s
max_connections=100 shared_buffers=128MB
level=info caller=main.go:42 msg=started
{"level":"info","msg":"started","port":8080}
HTTP/1.1 503 Service Unavailable
GET /health?full=true 500
application/json; charset=utf-8
TLSv1.3 AES-256-GCM ECDHE-RSA-AES128-GCM-SHA256
CVE-2024-12345
RFC 7231
errno 111
pid 12345 uid=1000 gid=1000
segfault at 0
en_US.UTF-8
libssl.so.1.1: cannot open shared object file: No such file or directory
x86_64 linux/amd64
t4g.medium
FARGATE_SPOT
log stream ecs/web/latest
/aws/ecs/containerinsights/prod/performance
printf %d %s
strftime %Y-%m-%d
C:\\Windows\\System32
"quoted" and 'single'
日本語のメッセージ
ça marche, naïve
"""
TEXTS = tuple(line for line in HARMLESS.splitlines() if line)


def _recordings(text: str) -> dict[str, model.Cassette]:
    service = {"serviceName": "web", "events": [{"message": text}]}
    answers: dict[str, tuple[str, dict[str, Any]]] = {
        "stoppedReason": ("DescribeTasks", {"tasks": [{"stoppedReason": text}]}),
        "reason": ("DescribeTasks", {"tasks": [{"containers": [{"reason": text}]}]}),
        "event": ("DescribeServices", {"services": [service]}),
        "detail": ("DescribeTasks", {"failures": [{"reason": "MISSING", "detail": text}]}),
    }
    made = {
        place: bodies.cassette((operation, {}, model.Response(body)))
        for place, (operation, body) in answers.items()
    }
    error = model.ApiError(400, "ClientException", text, {})
    return made | {"error": bodies.cassette(("DescribeTasks", {}, error))}


def test_there_are_enough() -> None:
    """There are enough values to detect a share of one percent."""
    assert len(set(TEXTS)) == len(TEXTS) >= 150


@pytest.mark.matrix
@pytest.mark.parametrize("text", TEXTS)
def test_it_stays_in_every_place(text: str) -> None:
    """No part is replaced, and the audit accepts the recording."""
    for place, recording in _recordings(text).items():
        scrubbed, scrubber = scrub(recording)
        assert scrubbed.interactions == recording.interactions, place
        gate(text_of(scrubbed), scrubber.originals, "a.yaml")
