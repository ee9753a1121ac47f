// How the node agent has one probe carried out; when to probe and what the answers mean is the probe worker's business.
import type { ContainerPort, Probe } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export interface ProbeTarget {
  /** Where httpGet, tcpSocket and grpc connect to, unless the action names a host; the node's address for host-network pods. */
  readonly podIp: string;
  /** The runtime's id, for exec. */
  readonly containerId: string;
  /** The container's ports, by which a named port is found. */
  readonly ports: DeepReadonly<ContainerPort[]>;
  readonly timeoutSeconds: number;
}

export interface ProbeOutcome {
  /** `unknown`: the probe could not be carried out; thresholds stay as they are. */
  readonly result: "success" | "failure" | "unknown";
  /** Upstream's words, as they stand in the Unhealthy event after `Liveness probe failed: `. */
  readonly output: string;
}

export interface Prober {
  /** Never rejects but with the signal's reason. */
  probe(probe: DeepReadonly<Probe>, target: ProbeTarget, signal?: AbortSignal): Promise<ProbeOutcome>;
}
