// The Service that stands for cluster DNS. It has no selector: every node answers its address itself.
import { resources } from "../../api/index.ts";
import type { Client } from "../../client/index.ts";
import { isNotFound } from "../../machinery/index.ts";

export interface DnsServiceOptions {
  readonly client: Client;
  readonly address: string;
  readonly signal: AbortSignal;
}

/** Makes kube-system/kube-dns unless it exists. */
export async function ensureDnsService({ client, address, signal }: DnsServiceOptions): Promise<void> {
  const labels = { "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" };
  const ports = [
    { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
    { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
  ];
  const service = { metadata: { name: "kube-dns", namespace: "kube-system", labels }, spec: { clusterIP: address, ports } };
  try {
    await client.get(resources.services, "kube-dns", { namespace: "kube-system", signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await client.create(resources.services, service, { namespace: "kube-system", signal });
  }
}
