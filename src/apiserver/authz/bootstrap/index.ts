// The default roles and bindings, written at start where they are missing.
import type { ApiHandler, ResourceCatalog, UncheckedObject } from "../../../api/index.ts";
import { isAlreadyExists } from "../../../machinery/index.ts";
import { loopbackUser } from "../watched-collection.ts";
import { clusterRoleBindings, roleBindings, roles } from "./bindings.ts";
import { controllerRules } from "./controller-roles.ts";
import { clusterRole } from "./rule.ts";
import { systemRoles } from "./system-roles.ts";
import { userRoles } from "./user-roles.ts";

export { nodeRules } from "./system-roles.ts";

interface BootstrapObject {
  readonly metadata: { readonly name?: string | undefined; readonly namespace?: string | undefined };
}

/** Plural → its default objects. */
export const bootstrapPolicy: Readonly<Record<string, readonly BootstrapObject[]>> = {
  clusterroles: [
    ...userRoles,
    ...systemRoles,
    ...Object.entries(controllerRules).map(([name, rules]) => clusterRole(`system:controller:${name}`, rules)),
  ],
  clusterrolebindings: clusterRoleBindings,
  roles,
  rolebindings: roleBindings,
};

/** Creates every default that does not exist; what administrators changed stays. */
export async function bootstrapRbac(handler: ApiHandler, catalog: ResourceCatalog): Promise<void> {
  for (const [plural, objects] of Object.entries(bootstrapPolicy)) {
    const resource = catalog.find("rbac.authorization.k8s.io", "v1", plural);
    if (resource === undefined) throw new Error(`the catalog has no ${plural}`);
    const scope = { user: loopbackUser, resource, name: "", subresource: "", fieldManager: "kube-apiserver" };
    const known = await handler.list({ ...scope, namespace: "" }, {});
    const names = new Set(known.items.map(({ object }) => keyOf(object)));
    const missing = objects.filter((object) => !names.has(keyOf(object)));
    await Promise.all(
      missing.map(async (object) => {
        try {
          await handler.create({ ...scope, namespace: object.metadata.namespace ?? "" }, object as UncheckedObject, {});
        } catch (error) {
          if (!isAlreadyExists(error)) throw error;
        }
      }),
    );
  }
}

function keyOf({ metadata }: BootstrapObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}
