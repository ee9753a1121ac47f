// Discovery documents: the legacy lists and the aggregated ones.
import type { Resource } from "../../api/index.ts";
import { discoveryEntries } from "../aggregator/remote-discovery.ts";
import type { GroupVersions, ServedVersion } from "./groups.ts";

function groupVersionOf(group: string, version: string): string {
  return group === "" ? version : `${group}/${version}`;
}

/** `/api` */
export function apiVersions(groups: readonly GroupVersions[], serverAddress: string): object {
  const core = groups.find(({ group }) => group === "");
  return {
    kind: "APIVersions",
    versions: core?.versions.map(({ version }) => version) ?? [],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
  };
}

/** `/apis/<group>`, or an item of `/apis`. */
export function apiGroup({ group, versions }: GroupVersions): object {
  const list = versions.map(({ version }) => ({ groupVersion: groupVersionOf(group, version), version }));
  return { name: group, versions: list, preferredVersion: list[0] };
}

/** `/apis` */
export function apiGroupList(groups: readonly GroupVersions[]): object {
  return { kind: "APIGroupList", apiVersion: "v1", groups: groups.filter(({ group }) => group !== "").map(apiGroup) };
}

/** `/api/v1` and `/apis/<group>/<version>` */
export function apiResourceList(group: string, version: string, resources: readonly Resource[]): object {
  return {
    kind: "APIResourceList",
    ...(group === "" ? {} : { apiVersion: "v1" }),
    groupVersion: groupVersionOf(group, version),
    resources: resources.flatMap(resourceEntries),
  };
}

function resourceEntries(resource: Resource): object[] {
  const { resource: name, singular, namespaced, kind, verbs, shortNames, categories } = resource;
  const own = { name, singularName: singular, namespaced, kind, verbs, ...given({ shortNames, categories }) };
  const subresources = Object.entries(resource.subresources).map(([subresource, row]) => ({
    name: `${name}/${subresource}`,
    singularName: "",
    namespaced,
    ...(row.group === resource.group && row.version === resource.version ? {} : { group: row.group, version: row.version }),
    kind: row.kind,
    verbs: row.verbs,
  }));
  return [own, ...subresources];
}

/** apidiscovery.k8s.io: all of `groups` in one document. */
export function aggregatedDiscovery(groups: readonly GroupVersions[], version: "v2" | "v2beta1"): object {
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: group === "" ? {} : { name: group },
      versions: versions.map(discoveryVersion),
    })),
  };
}

function discoveryVersion({ version, resources, remote }: ServedVersion): object {
  if (remote !== undefined) return { version, resources: discoveryEntries(remote), freshness: remote.freshness };
  return { version, resources: resources.map(discoveryEntry), freshness: "Current" };
}

function discoveryEntry(resource: Resource): object {
  const { group, version, kind, namespaced, verbs, shortNames, categories, singular } = resource;
  const subresources = Object.entries(resource.subresources).map(([subresource, row]) => ({
    subresource,
    responseKind: { group: row.group, version: row.version, kind: row.kind },
    verbs: row.verbs,
  }));
  return {
    resource: resource.resource,
    responseKind: { group, version, kind },
    scope: namespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs,
    ...given({ shortNames, categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}

function given(fields: Readonly<Record<string, readonly string[] | undefined>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value.length > 0));
}
