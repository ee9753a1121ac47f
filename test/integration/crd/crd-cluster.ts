// A cluster with the controllers that custom resources need, and definitions to play with.
import type { ResourceRef } from "../../../src/api/index.ts";
import { resources } from "../../../src/api/index.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "../../../src/api/types/apiextensions/v1.ts";
import { defaultControllers, deletableResources } from "../../../src/controllers/index.ts";
import type { DeepReadonly, KubeObject } from "../../../src/machinery/index.ts";
import { ControllerCluster } from "../controllers/controller-cluster.ts";

/** An object whose fields nobody knows beforehand. */
export type Custom = KubeObject & { spec?: Record<string, unknown>; status?: Record<string, unknown>; [field: string]: unknown };

export const cronTabs: ResourceRef<Custom> = {
  group: "stable.example.com",
  version: "v1",
  resource: "crontabs",
  kind: "CronTab",
  namespaced: true,
};

export const cronTabSchema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["cronSpec"],
      properties: {
        cronSpec: { type: "string", pattern: "^(\\S+\\s){4}\\S+$" },
        image: { type: "string" },
        replicas: { type: "integer", minimum: 1, maximum: 10, default: 1 },
        port: { "x-kubernetes-int-or-string": true },
        note: { type: "string", nullable: true },
        free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        hosts: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
        jobs: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: {
            type: "object",
            required: ["name"],
            properties: { name: { type: "string" }, at: { type: "string", format: "date-time" } },
          },
        },
      },
    },
    status: { type: "object", properties: { replicas: { type: "integer" }, labelSelector: { type: "string" } } },
  },
};

export function version(name: string, more: Partial<CustomResourceDefinitionVersion> = {}): CustomResourceDefinitionVersion {
  return { name, served: true, storage: true, schema: { openAPIV3Schema: cronTabSchema }, ...more };
}

export function definition(more: Partial<CustomResourceDefinition["spec"]> = {}): CustomResourceDefinition {
  const names = { plural: "crontabs", singular: "crontab", kind: "CronTab", shortNames: ["ct"], categories: ["all"] };
  const spec = { group: "stable.example.com", scope: "Namespaced", names, versions: [version("v1")], ...more };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${spec.names.plural}.${spec.group}` },
    spec,
  };
}

export class CrdCluster extends ControllerCluster {
  static async begin(): Promise<CrdCluster> {
    const cluster = new CrdCluster();
    const { catalog } = cluster;
    const wanted = [
      "customresourcedefinition-controller",
      "namespace-controller",
      "garbage-collector-controller",
      "storage-version-migrator-controller",
    ];
    const makers = defaultControllers({ caPem: "", deletableResources: () => deletableResources(catalog) }).filter(({ name }) =>
      wanted.includes(name),
    );
    await cluster.begin(...makers.map(({ make }) => make));
    return cluster;
  }

  async define(crd = definition()): Promise<DeepReadonly<CustomResourceDefinition>> {
    await this.client.create(resources.customresourcedefinitions, crd);
    await this.clock.advance(100);
    return this.client.get(resources.customresourcedefinitions, crd.metadata.name ?? "");
  }

  async redefine(change: (spec: CustomResourceDefinition["spec"]) => void, name = "crontabs.stable.example.com"): Promise<void> {
    const crd = structuredClone(await this.client.get(resources.customresourcedefinitions, name)) as CustomResourceDefinition;
    change(crd.spec);
    await this.client.update(resources.customresourcedefinitions, crd);
    await this.clock.advance(100);
  }

  tab(spec: Record<string, unknown>, more: Partial<Custom> = {}): Custom {
    return {
      apiVersion: "stable.example.com/v1",
      kind: "CronTab",
      metadata: { name: "my-tab", namespace: "default" },
      spec: { cronSpec: "* * * * *", ...spec },
      ...more,
    };
  }
}
