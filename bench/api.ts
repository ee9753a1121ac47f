// Preparing and clearing away with plain calls: what is not measured itself.
import { type Answer, Connection, type Request } from "./connection.ts";
import { closedLoop } from "./measure.ts";
import { realisticPod } from "./objects.ts";
import type { Target } from "./target.ts";

/** An answer that is not as it must be: it voids the measurement. */
export class VoidError extends Error {
  readonly code = "VOID";
  override readonly name = "VoidError";
}

export interface ApiObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export interface ApiList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly ApiObject[];
}

/** Throws VoidError unless the answer has one of the codes. */
export function check(answer: Answer, request: Pick<Request, "method" | "path">, ...codes: readonly number[]): void {
  if (codes.includes(answer.status)) return;
  const text = answer.body.toString("utf8", 0, 300);
  throw new VoidError(`${request.method} ${request.path} was answered ${answer.status}, not ${codes.join(" or ")}: ${text}`);
}

export async function call<T>(connection: Connection, request: Request, ...codes: readonly number[]): Promise<T> {
  const answer = await connection.send(request);
  check(answer, request, ...codes);
  return JSON.parse(answer.body.toString()) as T;
}

export const podsPath = (namespace: string) => `/api/v1/namespaces/${namespace}/pods`;

/** Makes a namespace in which pods can be created. */
export async function makeNamespace(connection: Connection, name: string): Promise<void> {
  const post = (path: string, object: object) => call(connection, { method: "POST", path, body: JSON.stringify(object) }, 201, 409);
  await post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
  await post(`/api/v1/namespaces/${name}/serviceaccounts`, account);
}

/** Removes a namespace and, where no controller does it, at least the pods in it. */
export async function removeNamespace(connection: Connection, name: string): Promise<void> {
  const body = JSON.stringify({ gracePeriodSeconds: 0, propagationPolicy: "Background" });
  await call(connection, { method: "DELETE", path: podsPath(name), body }, 200);
  await call(connection, { method: "DELETE", path: `/api/v1/namespaces/${name}`, body }, 200, 202, 404, 409);
}

export async function openAll(target: Target, count: number): Promise<Connection[]> {
  const connections: Connection[] = [];
  // A few handshakes at a time: hundreds at once would overflow the server's backlog.
  while (connections.length < count) {
    const wave = Math.min(16, count - connections.length);
    connections.push(...(await Promise.all(Array.from({ length: wave }, () => Connection.open(target)))));
  }
  return connections;
}

/** Creates `count` realistic pods that stay as they are. */
export async function createPods(connections: readonly Connection[], namespace: string, count: number): Promise<void> {
  const template = JSON.stringify(realisticPod({ name: "NAME" })).split("NAME");
  const path = podsPath(namespace);
  const operation = (connection: Connection, index: number) =>
    index >= count ? undefined : call<void>(connection, { method: "POST", path, body: template.join(`pod-${index}`) }, 201);
  await closedLoop({ connections, operation });
}
