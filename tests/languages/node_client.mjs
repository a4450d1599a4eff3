// What @aws-sdk/client-ecs sees of many variants: jobs on stdin, outcomes on stdout.
import { text } from "node:stream/consumers";
import * as ecs from "@aws-sdk/client-ecs";

const jobs = JSON.parse(await text(process.stdin));

async function outcome(client, [operation, parameters]) {
  try {
    const { $metadata, ...body } = await client.send(new ecs[operation + "Command"](parameters));
    return { body, retries: $metadata.attempts - 1 };
  } catch (error) {
    if (error.name === "TimeoutError") return { error: "timeout" };
    if (!error.$metadata?.httpStatusCode) return { error: "connection" };
    if (!(error instanceof ecs.ECSServiceException)) return { error: "unreadable" };
    const modeled = ecs[error.name];
    return {
      error: error.name,
      message: error.message,
      status: error.$metadata.httpStatusCode,
      retries: error.$metadata.attempts - 1,
      is_modeled: modeled !== undefined && error instanceof modeled,
    };
  }
}

async function outcomes({ endpoint, calls, attempts, timeout }) {
  const client = new ecs.ECSClient({
    endpoint,
    region: "eu-west-1",
    credentials: { accessKeyId: "made-up", secretAccessKey: "made-up" },
    maxAttempts: attempts,
    requestHandler: { requestTimeout: timeout * 1000, throwOnRequestTimeout: true },
  });
  const found = [];
  for (const call of calls) found.push(await outcome(client, call));
  client.destroy();
  return found;
}

// Eight at once: retries really sleep.
const found = Array(jobs.length);
let next = 0;
async function worker() {
  while (next < jobs.length) {
    const number = next++;
    found[number] = await outcomes(jobs[number]);
  }
}
await Promise.all(Array.from({ length: 8 }, worker));
process.stdout.write(JSON.stringify(found));
