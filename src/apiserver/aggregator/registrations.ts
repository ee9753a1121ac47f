// Which APIServices there must be for what the server serves itself. Pure: objects in, changes out.
import type { Resource } from "../../api/index.ts";
import type { CustomResourceDefinition } from "../../api/types/apiextensions/v1.ts";
import type { APIService } from "../../api/types/apiregistration/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { localPriority } from "./priorities.ts";

/** Who keeps the object: the server once (`onstart`), or as long as a CRD stands (`true`). */
export const MANAGED_LABEL = "kube-aggregator.kubernetes.io/automanaged";

/** The aggregator's own group, which needs nobody to register it. */
const OWN_GROUP = "apiregistration.k8s.io";

export interface Registrations {
  readonly create: readonly APIService[];
  readonly update: readonly APIService[];
  /** Names. */
  readonly remove: readonly string[];
}

export interface RegistrationFacts {
  /** What is built in. */
  readonly resources: readonly Pick<Resource, "group" | "version">[];
  readonly crds: readonly DeepReadonly<CustomResourceDefinition>[];
  readonly existing: readonly DeepReadonly<APIService>[];
}

/** Objects without the label are someone else's and stay as they are, and so do those that someone gave a service of theirs. */
export function planRegistrations({ resources, crds, existing }: RegistrationFacts): Registrations {
  const wanted = new Map<string, APIService>();
  for (const crd of crds) for (const version of servedVersions(crd)) add(wanted, { group: crd.spec.group, version, managed: "true" });
  for (const { group, version } of resources) if (group !== OWN_GROUP) add(wanted, { group, version, managed: "onstart" });
  const known = new Map(existing.map((service) => [service.metadata.name ?? "", service]));
  const own = existing.filter(({ metadata, spec }) => metadata.labels?.[MANAGED_LABEL] !== undefined && spec?.service === undefined);
  return {
    create: [...wanted].filter(([name]) => !known.has(name)).map(([, service]) => service),
    update: own.flatMap((service) => {
      const right = wanted.get(service.metadata.name ?? "");
      return right === undefined || isSame(right, service) ? [] : [{ ...(service as APIService), spec: right.spec } as APIService];
    }),
    remove: own.filter(({ metadata }) => !wanted.has(metadata.name ?? "")).map(({ metadata }) => metadata.name ?? ""),
  };
}

function servedVersions({ spec, status }: DeepReadonly<CustomResourceDefinition>): string[] {
  const isEstablished = status?.conditions?.some(({ type, status: is }) => type === "Established" && is === "True") === true;
  return isEstablished ? spec.versions.filter(({ served }) => served).map(({ name }) => name) : [];
}

function add(wanted: Map<string, APIService>, { group, version, managed }: { group: string; version: string; managed: string }): void {
  const name = `${version}.${group}`;
  const labels = { [MANAGED_LABEL]: managed };
  wanted.set(name, { metadata: { name, labels }, spec: { group, version, ...localPriority(group, version) } });
}

function isSame({ spec: wanted }: APIService, { spec: stands }: DeepReadonly<APIService>): boolean {
  return stands?.groupPriorityMinimum === wanted?.groupPriorityMinimum && stands?.versionPriority === wanted?.versionPriority;
}
