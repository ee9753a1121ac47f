// Ports of the node that lead to one of its pods.
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { Protocol } from "./service-port.ts";

export interface ProxyHostPort {
  readonly protocol: Protocol;
  /** "" for all addresses of the node. */
  readonly hostIp: string;
  readonly hostPort: number;
  readonly podIp: string;
  readonly port: number;
}

/** The host ports of a pod of this node; none while it has no address, after it has ended, or on the host's network. */
export function hostPortsOf(pod: DeepReadonly<Pod>): ProxyHostPort[] {
  const podIp = pod.status?.podIP;
  const hasEnded = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
  if (podIp === undefined || podIp === "" || hasEnded || pod.spec?.hostNetwork === true) return [];
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return containers.flatMap((container) =>
    (container.ports ?? []).flatMap(({ hostPort = 0, hostIP = "", containerPort, protocol = "TCP" }) =>
      hostPort === 0
        ? []
        : [
            {
              protocol: protocol.toLowerCase() as Protocol,
              hostIp: hostIP === "0.0.0.0" ? "" : hostIP,
              hostPort,
              podIp,
              port: containerPort,
            },
          ],
    ),
  );
}
