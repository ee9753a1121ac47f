// What another API server says of itself (an APIResourceList), in the form of aggregated discovery.

/** An item of an APIResourceList. */
export interface RemoteResource {
  readonly name: string;
  readonly singularName?: string;
  readonly namespaced?: boolean;
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly verbs?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

/** A group and version that another server serves. */
export interface RemoteGroupVersion {
  readonly group: string;
  readonly version: string;
  readonly groupPriorityMinimum: number;
  readonly versionPriority: number;
  /** As last told; "Stale" when the server does not answer now. */
  readonly resources: readonly RemoteResource[];
  readonly freshness: "Current" | "Stale";
}

/** APIResourceDiscovery entries: subresources stand in their resource's. */
export function discoveryEntries({ group, version, resources }: RemoteGroupVersion): object[] {
  const kindOf = (resource: RemoteResource) => ({
    group: resource.group ?? group,
    version: resource.version ?? version,
    kind: resource.kind ?? "",
  });
  return resources
    .filter(({ name }) => !name.includes("/"))
    .map((resource) => {
      const subresources = resources
        .filter(({ name }) => name.startsWith(`${resource.name}/`))
        .map((sub) => ({ subresource: sub.name.slice(resource.name.length + 1), responseKind: kindOf(sub), verbs: sub.verbs ?? [] }));
      return {
        resource: resource.name,
        responseKind: kindOf(resource),
        scope: resource.namespaced === true ? "Namespaced" : "Cluster",
        singularResource: resource.singularName ?? "",
        verbs: resource.verbs ?? [],
        ...(resource.shortNames === undefined ? {} : { shortNames: resource.shortNames }),
        ...(resource.categories === undefined ? {} : { categories: resource.categories }),
        ...(subresources.length === 0 ? {} : { subresources }),
      };
    });
}
