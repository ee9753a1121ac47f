// Which endpoints of a Service traffic may go to, seen from one node: readiness, termination, topology hints.
// @see kubernetes `pkg/proxy/topology.go`
import type { Endpoint, EndpointSlice } from "../../api/types/discovery/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export interface ProxyEndpoint {
  readonly ip: string;
  readonly port: number;
  readonly isLocal: boolean;
}

/** Where the proxy runs. */
export interface NodePlace {
  readonly nodeName: string;
  /** The node's `topology.kubernetes.io/zone`, "" when it has none. */
  readonly zone: string;
}

export interface ReachableEndpoints {
  /** For traffic policy Cluster. */
  readonly cluster: readonly ProxyEndpoint[];
  /** For traffic policy Local: those of this node. */
  readonly local: readonly ProxyEndpoint[];
  /** Whether any node has one: without, traffic is rejected; with one elsewhere, local-only traffic is dropped. */
  readonly hasAny: boolean;
}

interface Candidate extends ProxyEndpoint {
  readonly isReady: boolean;
  /** Serves still, but is on its way out. */
  readonly isServingTerminating: boolean;
  readonly nodes: readonly string[];
  readonly zones: readonly string[];
}

/** Sorts out the endpoints behind the port named `portName` ("" for an unnamed one) of slices of one address type. */
export function reachableEndpoints(slices: readonly DeepReadonly<EndpointSlice>[], portName: string, place: NodePlace): ReachableEndpoints {
  const candidates = candidatesOf(slices, portName, place.nodeName);
  const ready = candidates.filter((candidate) => candidate.isReady);
  const leaving = candidates.filter((candidate) => candidate.isServingTerminating);
  const localReady = ready.filter((candidate) => candidate.isLocal);
  const localLeaving = leaving.filter((candidate) => candidate.isLocal);
  return {
    cluster: (ready.length > 0 ? nearest(ready, place) : leaving).map(plain),
    local: (localReady.length > 0 ? localReady : localLeaving).map(plain),
    hasAny: ready.length + leaving.length > 0,
  };
}

/** Hints count only when every ready endpoint has them and one is for us: else a part of the endpoints would get all traffic. */
function nearest(ready: readonly Candidate[], { nodeName, zone }: NodePlace): readonly Candidate[] {
  if (ready.every(({ nodes }) => nodes.length > 0)) {
    const forNode = ready.filter(({ nodes }) => nodes.includes(nodeName));
    if (forNode.length > 0) return forNode;
  }
  if (zone === "" || ready.some(({ zones }) => zones.length === 0)) return ready;
  const forZone = ready.filter(({ zones }) => zones.includes(zone));
  return forZone.length > 0 ? forZone : ready;
}

/** In the order of their addresses, each once; of two slices that name the same endpoint the ready one counts. */
function candidatesOf(slices: readonly DeepReadonly<EndpointSlice>[], portName: string, nodeName: string): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const slice of slices) {
    const port = slice.ports?.find((candidate) => (candidate.name ?? "") === portName)?.port;
    if (port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const [ip] = endpoint.addresses;
      if (ip === undefined) continue;
      const key = `${ip}:${port}`;
      if (found.get(key)?.isReady !== true) found.set(key, candidateOf(endpoint, { ip, port, isLocal: endpoint.nodeName === nodeName }));
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, candidate]) => candidate);
}

function candidateOf({ conditions = {}, hints }: DeepReadonly<Endpoint>, target: ProxyEndpoint): Candidate {
  const isReady = conditions.ready ?? true;
  return {
    ...target,
    isReady,
    isServingTerminating: !isReady && conditions.serving !== false && conditions.terminating === true,
    nodes: (hints?.forNodes ?? []).map(({ name }) => name),
    zones: (hints?.forZones ?? []).map(({ name }) => name),
  };
}

function plain({ ip, port, isLocal }: Candidate): ProxyEndpoint {
  return { ip, port, isLocal };
}
