// What every cluster has from its first moment: its namespaces, the system priority classes and the `kubernetes` service.
import type { RequestScope, ResourceCatalog, UncheckedObject, UserInfo } from "../../api/index.ts";
import { deepEqual, isAlreadyExists } from "../../machinery/index.ts";
import { createObject } from "./create-path.ts";
import { draftOf } from "./draft.ts";
import { currentEntry, type ServerContext } from "./server-context.ts";
import { replaceObject } from "./update-path.ts";

export interface AdvertisedAddress {
  readonly ip: string;
  readonly port: number;
}

export const systemUser: UserInfo = { name: "system:apiserver", groups: ["system:masters"] };

const systemNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

const systemPriorityClasses = [
  {
    name: "system-node-critical",
    value: 2_000_001_000,
    description: "Used for system critical pods that must not be moved from their current node.",
  },
  {
    name: "system-cluster-critical",
    value: 2_000_000_000,
    description: "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
];

export async function bootstrap(
  context: ServerContext,
  {
    serviceIp,
    serviceCidrs,
    advertised,
  }: { serviceIp: string; serviceCidrs: readonly string[]; advertised: AdvertisedAddress | undefined },
): Promise<void> {
  for (const name of systemNamespaces) await ensure(context, scopeOf(context.catalog, ["", "v1", "namespaces"]), { metadata: { name } });
  for (const { name, ...rest } of systemPriorityClasses) {
    const object = { metadata: { name }, ...rest, preemptionPolicy: "PreemptLowerPriority" };
    await ensure(context, scopeOf(context.catalog, ["scheduling.k8s.io", "v1", "priorityclasses"]), object);
  }
  const range = { metadata: { name: "kubernetes" }, spec: { cidrs: [...serviceCidrs] } };
  await ensure(context, scopeOf(context.catalog, ["networking.k8s.io", "v1", "servicecidrs"]), range);
  if (advertised !== undefined) await publishApiServer(context, serviceIp, advertised);
}

async function publishApiServer(context: ServerContext, serviceIp: string, { ip, port }: AdvertisedAddress): Promise<void> {
  const ports = [{ name: "https", port: 443, protocol: "TCP", targetPort: port }];
  const labels = { component: "apiserver", provider: "kubernetes" };
  await ensure(context, scopeOf(context.catalog, ["", "v1", "services"]), {
    metadata: { name: "kubernetes", labels },
    spec: { type: "ClusterIP", clusterIP: serviceIp, clusterIPs: [serviceIp], ports, sessionAffinity: "None" },
  });
  const endpointPort = { name: "https", port, protocol: "TCP" };
  await ensure(context, scopeOf(context.catalog, ["", "v1", "endpoints"]), {
    metadata: { name: "kubernetes", labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: [{ addresses: [{ ip }], ports: [endpointPort] }],
  });
  await ensure(context, scopeOf(context.catalog, ["discovery.k8s.io", "v1", "endpointslices"]), {
    metadata: { name: "kubernetes", labels: { "kubernetes.io/service-name": "kubernetes" } },
    addressType: ip.includes(":") ? "IPv6" : "IPv4",
    endpoints: [{ addresses: [ip], conditions: { ready: true } }],
    ports: [endpointPort],
  });
}

function scopeOf(catalog: ResourceCatalog, [group, version, plural]: readonly [string, string, string]): RequestScope | undefined {
  const resource = catalog.find(group, version, plural);
  if (resource === undefined) return undefined;
  return {
    user: systemUser,
    resource,
    namespace: resource.namespaced ? "default" : "",
    name: "",
    subresource: "",
    fieldManager: "kube-apiserver",
  };
}

/** Creates `object`, or brings its own fields (addresses may have changed) back into what stands. */
async function ensure(context: ServerContext, scope: RequestScope | undefined, object: UncheckedObject): Promise<void> {
  if (scope === undefined) return;
  const name = object.metadata?.name ?? "";
  const current = await currentEntry(context, scope.resource, scope.namespace, name);
  if (current === undefined) {
    try {
      await createObject(context, scope, object, {});
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    return;
  }
  const { metadata: _, spec: __, ...fields } = object;
  const stands = draftOf(current.object);
  const isRight = Object.entries(fields).every(([field, value]) => deepEqual(stands[field], value));
  if (!isRight) await replaceObject(context, { ...scope, name }, { make: ({ object: now }) => Object.assign(draftOf(now), fields) }, {});
}
