// Where roles and bindings come from.
import type { ApiHandler, ResourceCatalog } from "../../api/index.ts";
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "../../api/types/rbac/v1.ts";
import type { Clock, Logger } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { WatchedCollection } from "./watched-collection.ts";

export interface RbacSource {
  clusterRoles(): Iterable<DeepReadonly<ClusterRole>>;
  roles(): Iterable<DeepReadonly<Role>>;
  clusterRoleBindings(): Iterable<DeepReadonly<ClusterRoleBinding>>;
  roleBindings(): Iterable<DeepReadonly<RoleBinding>>;
  /** Grows with every change of any of them. */
  readonly version: number;
}

export interface WatchedRbacSourceOptions {
  readonly handler: Pick<ApiHandler, "list" | "watch">;
  readonly catalog: ResourceCatalog;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Follows the four resources through the handler. */
export class WatchedRbacSource implements RbacSource {
  readonly #clusterRoles: WatchedCollection<DeepReadonly<ClusterRole>>;
  readonly #roles: WatchedCollection<DeepReadonly<Role>>;
  readonly #clusterRoleBindings: WatchedCollection<DeepReadonly<ClusterRoleBinding>>;
  readonly #roleBindings: WatchedCollection<DeepReadonly<RoleBinding>>;

  constructor({ catalog, ...options }: WatchedRbacSourceOptions) {
    const collection = <T>(plural: string) => {
      const resource = catalog.find("rbac.authorization.k8s.io", "v1", plural);
      if (resource === undefined) throw new Error(`the catalog has no ${plural}`);
      return new WatchedCollection<T>({ ...options, resource });
    };
    this.#clusterRoles = collection("clusterroles");
    this.#roles = collection("roles");
    this.#clusterRoleBindings = collection("clusterrolebindings");
    this.#roleBindings = collection("rolebindings");
  }

  async start(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#clusterRoles.start(signal),
      this.#roles.start(signal),
      this.#clusterRoleBindings.start(signal),
      this.#roleBindings.start(signal),
    ]);
  }

  clusterRoles = () => this.#clusterRoles.values();
  roles = () => this.#roles.values();
  clusterRoleBindings = () => this.#clusterRoleBindings.values();
  roleBindings = () => this.#roleBindings.values();

  get version(): number {
    return this.#clusterRoles.version + this.#roles.version + this.#clusterRoleBindings.version + this.#roleBindings.version;
  }
}
