// Controllers: a ReplicaSet that grows from nothing to 2 000 pods, 10 000 objects collected after their owner, the leases of
// 5 000 nodes, and the end of a namespace with 5 000 objects.
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiObject, call, check, makeNamespace, openAll, podsPath, removeNamespace } from "../api.ts";
import type { Bench } from "../bench.ts";
import { Connection } from "../connection.ts";
import { closedLoop, type Round, type Row, timeRound } from "../measure.ts";
import { realisticPod } from "../objects.ts";
import { textAfter, watchLines, within } from "../watching.ts";

const REPLICAS = 2_000;
const OBJECTS = 5_000;
const CHILDREN = 10_000;
const LEASES = 5_000;
const CONNECTIONS = 16;
const LIMIT_SECONDS = 120;
/** A namespace that has not begun to go by then has no controller that would remove it. */
const NAMESPACE_LIMIT_SECONDS = 30;

export async function controlArea(bench: Bench): Promise<Row[]> {
  const rounds: Round[] = [];
  while (rounds.length < bench.rounds) rounds.push(await growReplicaSet(bench, `bench-${bench.run}-rs-${rounds.length}`));
  const collections: Round[] = [];
  while (collections.length < bench.rounds) collections.push(await collectChildren(bench, `bench-${bench.run}-gc-${collections.length}`));
  const renewals: Round[] = [];
  while (renewals.length < bench.rounds) renewals.push(await renewLeases(bench, `bench-${bench.run}-lease-${renewals.length}`));
  return [
    { name: `ReplicaSet 0 → ${REPLICAS} pods`, rounds },
    { name: `collect ${CHILDREN} children of a deleted owner`, rounds: collections },
    { name: `renew ${LEASES} node leases`, rounds: renewals },
  ];
}

export async function namespaceArea(bench: Bench): Promise<Row[]> {
  const rounds: Round[] = [];
  while (rounds.length < bench.rounds) rounds.push(await removeFullNamespace(bench, `bench-${bench.run}-ns-${rounds.length}`));
  return [{ name: `delete namespace with ${OBJECTS} objects`, rounds }];
}

function replicaSet(): object {
  const { metadata, spec } = realisticPod({ name: "bench" });
  const { labels, annotations } = metadata;
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: "bench" },
    spec: { replicas: 0, selector: { matchLabels: { app: "bench" } }, template: { metadata: { labels, annotations }, spec } },
  };
}

async function growReplicaSet({ target, serverPid }: Bench, namespace: string): Promise<Round> {
  const control = await Connection.open(target);
  const watcher = await Connection.open(target);
  const path = `/apis/apps/v1/namespaces/${namespace}/replicasets`;
  try {
    await makeNamespace(control, namespace);
    await call(control, { method: "POST", path, body: JSON.stringify(replicaSet()) }, 201);
    const pods = new Set<string>();
    const all = Promise.withResolvers<void>();
    await watchLines(watcher, podsPath(namespace), (line) => {
      // Generated names stand anywhere in the metadata, also behind the owner's.
      const { object } = JSON.parse(line) as { readonly object: ApiObject };
      if (pods.add(object.metadata.name).size === REPLICAS) all.resolve();
    });
    // The controller has to know the set before it is asked to grow.
    await sleep(500);
    const work = async () => {
      const request = { method: "PATCH", path: `${path}/bench`, body: `{"spec":{"replicas":${REPLICAS}}}` };
      check(await control.send({ ...request, contentType: "application/merge-patch+json" }), request, 200);
      await within(LIMIT_SECONDS, `making ${REPLICAS} pods`, all.promise);
      return { operations: pods.size, latenciesMs: [] };
    };
    return await timeRound({ serverPid, work });
  } finally {
    const request = { method: "DELETE", path: `${path}/bench`, body: '{"propagationPolicy":"Orphan"}' };
    check(await control.send(request), request, 200, 404);
    await removeNamespace(control, namespace);
    watcher.close();
    control.close();
  }
}

function configMap(name: string, more: object = {}): object {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...more }, data: { key: "value" } };
}

async function collectChildren({ target, serverPid }: Bench, namespace: string): Promise<Round> {
  const connections = await openAll(target, CONNECTIONS);
  const watcher = await Connection.open(target);
  const [control] = connections;
  if (control === undefined) throw new Error("no connection");
  try {
    await makeNamespace(control, namespace);
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const create = (connection: Connection, object: object) =>
      call<ApiObject & { readonly metadata: { readonly uid: string } }>(
        connection,
        { method: "POST", path, body: JSON.stringify(object) },
        201,
      );
    const { uid } = (await create(control, configMap("owner"))).metadata;
    const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid }];
    const operation = async (connection: Connection, index: number) => {
      await create(connection, configMap(`child-${index}`, { ownerReferences }));
    };
    await closedLoop({ connections, operation: (connection, index) => (index >= CHILDREN ? undefined : operation(connection, index)) });
    let left = CHILDREN;
    const gone = Promise.withResolvers<void>();
    await watchLines(watcher, path, (line) => {
      if (line.startsWith('{"type":"DELETED"') && line.includes('"name":"child-') && --left === 0) gone.resolve();
    });
    const work = async () => {
      const request = { method: "DELETE", path: `${path}/owner`, body: '{"propagationPolicy":"Background"}' };
      check(await control.send(request), request, 200, 202);
      await within(LIMIT_SECONDS, `collecting ${CHILDREN} objects`, gone.promise);
      return { operations: CHILDREN, latenciesMs: [] };
    };
    return await timeRound({ serverPid, work });
  } finally {
    await removeNamespace(control, namespace);
    for (const connection of [...connections, watcher]) connection.close();
  }
}

/** What nodes do every ten seconds, as fast as it goes: the CPU of 5 000 renewals is what 5 000 nodes cost in that time. */
async function renewLeases({ target, serverPid }: Bench, namespace: string): Promise<Round> {
  const connections = await openAll(target, CONNECTIONS);
  const [control] = connections;
  if (control === undefined) throw new Error("no connection");
  try {
    await makeNamespace(control, namespace);
    const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
    const leaseOf = (index: number, metadata: object) => ({
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: `node-${index}`, ...metadata },
      spec: { holderIdentity: `node-${index}`, leaseDurationSeconds: 40, renewTime: `${new Date().toISOString().slice(0, -1)}000Z` },
    });
    const leases: ApiObject[] = [];
    const create = async (connection: Connection, index: number) => {
      leases[index] = await call<ApiObject>(connection, { method: "POST", path, body: JSON.stringify(leaseOf(index, {})) }, 201);
    };
    await closedLoop({ connections, operation: (connection, index) => (index >= LEASES ? undefined : create(connection, index)) });
    const renew = (connection: Connection, index: number) => {
      const body = JSON.stringify(leaseOf(index, leases[index]?.metadata ?? {}));
      return call<void>(connection, { method: "PUT", path: `${path}/node-${index}`, body }, 200);
    };
    const operation = (connection: Connection, index: number) => (index >= LEASES ? undefined : renew(connection, index));
    return await timeRound({ serverPid, work: () => closedLoop({ connections, operation }) });
  } finally {
    await removeNamespace(control, namespace);
    for (const connection of connections) connection.close();
  }
}

async function removeFullNamespace({ target, serverPid }: Bench, namespace: string): Promise<Round> {
  const connections = await openAll(target, CONNECTIONS);
  const watcher = await Connection.open(target);
  const [control] = connections;
  if (control === undefined) throw new Error("no connection");
  try {
    await makeNamespace(control, namespace);
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const create = (connection: Connection, index: number) => {
      return call<void>(connection, { method: "POST", path, body: JSON.stringify(configMap(`object-${index}`)) }, 201);
    };
    await closedLoop({ connections, operation: (connection, index) => (index >= OBJECTS ? undefined : create(connection, index)) });
    const gone = Promise.withResolvers<void>();
    await watchLines(watcher, "/api/v1/namespaces", (line) => {
      if (line.startsWith('{"type":"DELETED"') && textAfter(line, '"name":"') === namespace) gone.resolve();
    });
    const work = async () => {
      const request = { method: "DELETE", path: `/api/v1/namespaces/${namespace}` };
      check(await control.send(request), request, 200, 202);
      await within(NAMESPACE_LIMIT_SECONDS, "removing the namespace", gone.promise);
      return { operations: OBJECTS, latenciesMs: [] };
    };
    return await timeRound({ serverPid, work });
  } finally {
    for (const connection of [...connections, watcher]) connection.close();
  }
}
