// The waiters of @aws-sdk/client-ecs: endpoint, task and cluster from argv; a line for each.
import * as ecs from "@aws-sdk/client-ecs";

const [waiter, endpoint, parameters] = process.argv.slice(2);
const client = new ecs.ECSClient({
  endpoint,
  region: "eu-west-1",
  credentials: { accessKeyId: "made-up", secretAccessKey: "made-up" },
});
try {
  const settings = { client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 };
  const { state } = await ecs[waiter](settings, JSON.parse(parameters));
  console.log(state);
} catch (error) {
  console.log(error.name, JSON.parse(error.message).state);
}
