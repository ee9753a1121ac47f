// Single calls in a closed loop: create, get, patch, update, delete and list of realistic pods; applies of a Deployment.
import { type ApiList, type ApiObject, call, check, makeNamespace, openAll, podsPath, removeNamespace, VoidError } from "../api.ts";
import type { Bench } from "../bench.ts";
import { Connection } from "../connection.ts";
import { closedLoop, type Round, type Row, timeRound } from "../measure.ts";
import { realisticDeployment, realisticPod } from "../objects.ts";

const CONNECTIONS = 32;
const LIST_CONNECTIONS = 8;
const KEPT_PODS = 500;
const KEPT_DEPLOYMENTS = 100;
const DELETE_NOW = JSON.stringify({ gracePeriodSeconds: 0 });

export async function apiArea(bench: Bench): Promise<Row[]> {
  const connections = await openAll(bench.target, CONNECTIONS);
  const control = await Connection.open(bench.target);
  const namespace = `bench-${bench.run}`;
  try {
    await makeNamespace(control, namespace);
    return await new ApiLoad(bench, namespace, connections).run();
  } finally {
    await removeNamespace(control, namespace);
    for (const connection of [...connections, control]) connection.close();
  }
}

const keptName = (index: number) => `kept-${String(index % KEPT_PODS).padStart(4, "0")}`;

class ApiLoad {
  readonly #bench: Bench;
  readonly #connections: readonly Connection[];
  readonly #pods: string;
  readonly #deployments: string;
  /** A realistic pod whose name is yet to be put in. */
  readonly #template = JSON.stringify(realisticPod({ name: "NAME" })).split("NAME");

  constructor(bench: Bench, namespace: string, connections: readonly Connection[]) {
    this.#bench = bench;
    this.#connections = connections;
    this.#pods = podsPath(namespace);
    this.#deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  }

  async run(): Promise<Row[]> {
    const creates: Round[] = [];
    const deletes: Round[] = [];
    for (let round = 0; round < this.#bench.rounds; round++) {
      const created = await this.#create(`r${round}`);
      creates.push(created);
      deletes.push(await this.#delete(`r${round}`, created.operations));
    }
    await this.#keep();
    return [
      { name: `create pod (${CONNECTIONS} connections)`, rounds: creates },
      { name: `delete pod (${CONNECTIONS})`, rounds: deletes },
      { name: `get pod (${CONNECTIONS})`, rounds: await this.#rounds(() => this.#get()) },
      { name: `list ${KEPT_PODS} pods (${LIST_CONNECTIONS})`, rounds: await this.#rounds(() => this.#list()) },
      { name: `patch pod's label (${CONNECTIONS})`, rounds: await this.#rounds(() => this.#patch()) },
      { name: `update pod (${CONNECTIONS})`, rounds: await this.#rounds(() => this.#update()) },
      { name: `apply unchanged deployment (${CONNECTIONS})`, rounds: await this.#applied() },
    ];
  }

  async #rounds(measure: () => Promise<Round>): Promise<Round[]> {
    const rounds: Round[] = [];
    while (rounds.length < this.#bench.rounds) rounds.push(await measure());
    return rounds;
  }

  #timed(
    operation: (connection: Connection, index: number, worker: number) => Promise<void>,
    connections = this.#connections,
  ): Promise<Round> {
    const { serverPid, seconds } = this.#bench;
    return timeRound({ serverPid, work: () => closedLoop({ connections, seconds, operation }) });
  }

  #body(name: string): string {
    return this.#template.join(name);
  }

  #create(prefix: string): Promise<Round> {
    return this.#timed(async (connection, index) => {
      const request = { method: "POST", path: this.#pods, body: this.#body(`${prefix}-${index}`) };
      check(await connection.send(request), request, 201);
    });
  }

  #delete(prefix: string, count: number): Promise<Round> {
    const { serverPid } = this.#bench;
    const operation = (connection: Connection, index: number) =>
      index >= count ? undefined : this.#deleteOne(connection, `${prefix}-${index}`);
    return timeRound({ serverPid, work: () => closedLoop({ connections: this.#connections, operation }) });
  }

  async #deleteOne(connection: Connection, name: string): Promise<void> {
    const request = { method: "DELETE", path: `${this.#pods}/${name}`, body: DELETE_NOW };
    check(await connection.send(request), request, 200);
  }

  /** Makes the pods that the other calls work on, and sees that they are all there and nothing else. */
  async #keep(): Promise<void> {
    const operation = (connection: Connection, index: number) =>
      index >= KEPT_PODS ? undefined : call<void>(connection, { method: "POST", path: this.#pods, body: this.#body(keptName(index)) }, 201);
    await closedLoop({ connections: this.#connections, operation });
  }

  async #get(): Promise<Round> {
    return this.#timed(async (connection, index) => {
      const name = keptName(index);
      const request = { method: "GET", path: `${this.#pods}/${name}` };
      const answer = await connection.send(request);
      check(answer, request, 200);
      if (!answer.body.subarray(0, 400).includes(name)) throw new VoidError(`GET ${request.path} was answered with something else`);
    });
  }

  async #list(): Promise<Round> {
    const connections = this.#connections.slice(0, LIST_CONNECTIONS);
    const request = { method: "GET", path: this.#pods };
    const answer = await connections[0]?.send(request);
    const list = JSON.parse(answer?.body.toString() ?? "{}") as ApiList;
    if (list.items.length !== KEPT_PODS) throw new VoidError(`${list.items.length} pods were listed instead of ${KEPT_PODS}`);
    const length = answer?.body.length ?? 0;
    return this.#timed(async (connection) => {
      let bytes = 0;
      // Counted as it comes: joining it would cost the client more than the server's answer.
      const listed = await connection.stream(request.path, (part) => (bytes += part.length));
      check(listed, request, 200);
      // Revisions elsewhere in the cluster may add a digit to the list's own.
      if (Math.abs(bytes - length) > 8) throw new VoidError(`a list had ${bytes} bytes instead of ${length}`);
    }, connections);
  }

  #patch(): Promise<Round> {
    return this.#timed(async (connection, index) => {
      const label = `v${index}`;
      const request = {
        method: "PATCH",
        path: `${this.#pods}/${keptName(index)}`,
        body: `{"metadata":{"labels":{"bench":"${label}"}}}`,
        contentType: "application/strategic-merge-patch+json",
      };
      const answer = await connection.send(request);
      check(answer, request, 200);
      if (!answer.body.includes(`"${label}"`)) throw new VoidError(`PATCH ${request.path} did not set the label`);
    });
  }

  async #update(): Promise<Round> {
    const bodies = await Promise.all(this.#connections.map((connection, worker) => this.#updatable(connection, worker)));
    return this.#timed(async (connection, index, worker) => {
      const [start, end] = bodies[worker] ?? ["", ""];
      const request = { method: "PUT", path: `${this.#pods}/${keptName(worker)}`, body: `${start}u${index}${end}` };
      const answer = await connection.send(request);
      check(answer, request, 200);
      if (!answer.body.includes(`"u${index}"`)) throw new VoidError(`PUT ${request.path} did not set the label`);
    });
  }

  /** Server-side apply of what stands already. */
  async #applied(): Promise<Round[]> {
    const [start = "", end = ""] = JSON.stringify(realisticDeployment("NAME")).split("NAME");
    const apply = async (connection: Connection, index: number, ...codes: readonly number[]) => {
      const name = `kept-${index % KEPT_DEPLOYMENTS}`;
      const path = `${this.#deployments}/${name}?fieldManager=k8ts-bench`;
      const request = { method: "PATCH", path, body: `${start}${name}${end}`, contentType: "application/apply-patch+yaml" };
      check(await connection.send(request), request, ...codes);
    };
    const operation = (connection: Connection, index: number) => (index >= KEPT_DEPLOYMENTS ? undefined : apply(connection, index, 201));
    await closedLoop({ connections: this.#connections, operation });
    return this.#rounds(() => this.#timed((connection, index) => apply(connection, index, 200)));
  }

  /** A stored pod's JSON without its revision, before and behind the value of a label. */
  async #updatable(connection: Connection, worker: number): Promise<[string, string]> {
    const pod = await call<ApiObject>(connection, { method: "GET", path: `${this.#pods}/${keptName(worker)}` }, 200);
    const { resourceVersion: _, ...metadata } = pod.metadata;
    const labels = { ...metadata.labels, bench: "LABEL" };
    const [start = "", end = ""] = JSON.stringify({ ...pod, metadata: { ...metadata, labels } }).split("LABEL");
    return [start, end];
  }
}
