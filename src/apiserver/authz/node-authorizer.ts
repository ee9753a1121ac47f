// The Node authorizer: a kubelet (system:node:<name> in system:nodes) reads what its own pods refer to and writes what is
// its own.
// DEVIATION: lists and watches of pods, nodes and requests for certificates are not held to the node's own: attributes carry no field selectors.
import { podReferences, type UserInfo } from "../../api/index.ts";
import type { PersistentVolume, Pod } from "../../api/types/core/v1.ts";
import type { VolumeAttachment } from "../../api/types/storage/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { AuthorizationAttributes, Authorizer, Decision, SubjectRules } from "./authorizer.ts";
import { nodeRules } from "./bootstrap/index.ts";
import { coversResource } from "./rules.ts";

const NODES_GROUP = "system:nodes";
const NODE_PREFIX = "system:node:";
const LEASE_NAMESPACE = "kube-node-lease";

const allowed: Decision = { allowed: true, reason: "" };
const unknown: Decision = { allowed: false, reason: "" };

/** What the authorizer looks up; see WatchedCollection. */
export interface NodeGraphSource {
  readonly pods: { onChange(listener: (key: string, pod: DeepReadonly<Pod> | undefined) => void): void };
  readonly persistentVolumes: { get(name: string): DeepReadonly<PersistentVolume> | undefined };
  readonly volumeAttachments: { get(name: string): DeepReadonly<VolumeAttachment> | undefined };
}

export class NodeAuthorizer implements Authorizer {
  readonly #source: NodeGraphSource;
  /** Node → `plural/namespace/name` → by how many of its pods it is referred to. */
  readonly #references = new Map<string, Map<string, number>>();
  /** Pod key → where its references are counted. */
  readonly #counted = new Map<string, { readonly node: string; readonly references: ReadonlySet<string> }>();

  constructor(source: NodeGraphSource) {
    this.#source = source;
    source.pods.onChange((key, pod) => this.#count(key, pod));
  }

  authorize(attributes: AuthorizationAttributes): Decision {
    const { user } = attributes;
    if (attributes.path !== undefined || !user.name.startsWith(NODE_PREFIX) || !user.groups.includes(NODES_GROUP)) return unknown;
    if (!nodeRules.some((rule) => coversResource(rule, attributes))) return unknown;
    return this.#refusal(user.name.slice(NODE_PREFIX.length), attributes) ?? allowed;
  }

  /** What a node may do depends on its pods: no list of rules tells it. */
  rulesFor({ name, groups }: UserInfo): SubjectRules {
    const none = { resourceRules: [], nonResourceRules: [] };
    if (!name.startsWith(NODE_PREFIX) || !groups.includes(NODES_GROUP)) return { ...none, incomplete: false };
    return { ...none, incomplete: true, evaluationError: "node authorizer does not support user rule resolution" };
  }

  /** undefined when nothing speaks against what the rules allow. */
  #refusal(node: string, { verb, resource, namespace, name }: AuthorizationAttributes): Decision | undefined {
    const none = { allowed: false, reason: `no relationship found between node '${node}' and this object` };
    switch (resource) {
      case "secrets":
      case "configmaps":
        if (name === "") return { allowed: false, reason: "No Object name found" };
        return this.#refersTo(node, `${resource}/${namespace}/${name}`) ? undefined : none;
      case "persistentvolumeclaims":
      case "resourceclaims":
        return this.#refersTo(node, `${resource}/${namespace}/${name}`) ? undefined : none;
      case "serviceaccounts":
        return this.#refersTo(node, `${resource}/${namespace}/${name}`) ? undefined : none;
      case "persistentvolumes":
        return this.#usesVolume(node, name) ? undefined : none;
      case "volumeattachments":
        return this.#source.volumeAttachments.get(name)?.spec.nodeName === node ? undefined : none;
      case "leases":
        return namespace === LEASE_NAMESPACE && (name === node || verb === "create") ? undefined : ownOnly;
      case "csinodes":
        return name === node || verb === "create" ? undefined : ownOnly;
      default:
        return undefined;
    }
  }

  #refersTo(node: string, reference: string): boolean {
    return this.#references.get(node)?.has(reference) === true;
  }

  #usesVolume(node: string, name: string): boolean {
    const claim = this.#source.persistentVolumes.get(name)?.spec?.claimRef;
    return claim !== undefined && this.#refersTo(node, `persistentvolumeclaims/${claim.namespace}/${claim.name}`);
  }

  #count(key: string, pod: DeepReadonly<Pod> | undefined): void {
    const old = this.#counted.get(key);
    if (old !== undefined) this.#add(old.node, old.references, -1);
    this.#counted.delete(key);
    const node = pod?.spec?.nodeName ?? "";
    if (pod === undefined || node === "") return;
    const references = referencesOf(pod);
    this.#add(node, references, 1);
    this.#counted.set(key, { node, references });
  }

  #add(node: string, references: ReadonlySet<string>, change: number): void {
    const counts = this.#references.get(node) ?? new Map<string, number>();
    this.#references.set(node, counts);
    for (const reference of references) {
      const count = (counts.get(reference) ?? 0) + change;
      if (count > 0) counts.set(reference, count);
      else counts.delete(reference);
    }
  }
}

const ownOnly: Decision = { allowed: false, reason: "can only access node lease and CSINode with the same name as the requesting node" };

/** `plural/namespace/name` of all that the pod needs from the API. */
function referencesOf(pod: DeepReadonly<Pod>): ReadonlySet<string> {
  const { namespace = "", name: podName } = pod.metadata;
  const found = new Set<string>();
  const add = (plural: string, name: string | undefined) => {
    if (name !== undefined && name !== "") found.add(`${plural}/${namespace}/${name}`);
  };
  const { spec } = pod;
  add("serviceaccounts", spec?.serviceAccountName ?? "default");
  const { secrets, configMaps, claims } = podReferences(pod);
  for (const name of secrets) add("secrets", name);
  for (const name of configMaps) add("configmaps", name);
  for (const name of claims) add("persistentvolumeclaims", name);
  for (const { name, ephemeral } of spec?.volumes ?? []) {
    if (ephemeral !== undefined) add("persistentvolumeclaims", `${podName}-${name}`);
  }
  for (const { resourceClaimName } of pod.status?.resourceClaimStatuses ?? []) add("resourceclaims", resourceClaimName);
  for (const { resourceClaimName } of spec?.resourceClaims ?? []) add("resourceclaims", resourceClaimName);
  return found;
}
