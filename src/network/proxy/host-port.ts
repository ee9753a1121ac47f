// Ports of the node that lead to one of its pods.
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { familyOf, type IpFamily } from "../ip-family.ts";
import type { Protocol } from "./service-port.ts";

export interface ProxyHostPort {
  readonly protocol: Protocol;
  /** "" for all addresses of the node. */
  readonly hostIp: string;
  readonly hostPort: number;
  readonly podIp: string;
  readonly port: number;
}

const ALL_ADDRESSES = new Set(["", "0.0.0.0", "::"]);

/** The host ports of a pod of this node in one family; none while it has no address, after it has ended, or on the host's network. */
export function hostPortsOf(pod: DeepReadonly<Pod>, family: IpFamily): ProxyHostPort[] {
  const podIp = podIpOf(pod, family);
  const hasEnded = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
  if (podIp === undefined || hasEnded || pod.spec?.hostNetwork === true) return [];
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return containers.flatMap((container) =>
    (container.ports ?? []).flatMap(({ hostPort = 0, hostIP = "", containerPort, protocol = "TCP" }) => {
      const isOnAll = ALL_ADDRESSES.has(hostIP);
      if (hostPort === 0 || (!isOnAll && familyOf(hostIP) !== family)) return [];
      return [{ protocol: protocol.toLowerCase() as Protocol, hostIp: isOnAll ? "" : hostIP, hostPort, podIp, port: containerPort }];
    }),
  );
}

function podIpOf({ status }: DeepReadonly<Pod>, family: IpFamily): string | undefined {
  const addresses = [status?.podIP, ...(status?.podIPs ?? []).map(({ ip }) => ip)];
  return addresses.find((address) => address !== undefined && address !== "" && familyOf(address) === family);
}
