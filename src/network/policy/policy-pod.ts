// A pod as policies see it: its labels and where it is reached, in one IP family.
import { isPodTerminal } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly, Labels } from "../../machinery/index.ts";
import { familyOf, type IpFamily } from "../ip-family.ts";

export interface NamedPort {
  readonly name: string;
  /** As nft writes it. */
  readonly protocol: string;
  readonly port: number;
}

export interface PolicyPod {
  readonly namespace: string;
  readonly labels: Labels;
  readonly ip: string;
  readonly nodeName: string;
  readonly namedPorts: readonly NamedPort[];
}

/** Undefined for pods without an address of their own in the family: not started, ended, or on the host's network. */
export function policyPod(pod: DeepReadonly<Pod>, family: IpFamily): PolicyPod | undefined {
  const { metadata, spec, status } = pod;
  if (spec?.hostNetwork === true || isPodTerminal(pod)) return undefined;
  const addresses = [status?.podIP, ...(status?.podIPs ?? []).map(({ ip }) => ip)];
  const ip = addresses.find((address) => address !== undefined && address !== "" && familyOf(address) === family);
  if (ip === undefined) return undefined;
  return {
    namespace: metadata.namespace ?? "",
    labels: metadata.labels ?? {},
    ip,
    nodeName: spec?.nodeName ?? "",
    namedPorts: [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].flatMap(({ ports = [] }) =>
      ports.flatMap(({ name, containerPort, protocol = "TCP" }) =>
        name === undefined ? [] : [{ name, protocol: protocol.toLowerCase(), port: containerPort }],
      ),
    ),
  };
}
