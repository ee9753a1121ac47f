// The Node authorizer: a kubelet (system:node:<name> in system:nodes) reads what its own pods refer to and writes what is
// its own.
import { podReferences, type UserInfo } from "../../api/index.ts";
import type { PodCertificateRequest } from "../../api/types/certificates/v1.ts";
import type { PersistentVolume, Pod } from "../../api/types/core/v1.ts";
import type { ResourceSlice } from "../../api/types/resource/v1.ts";
import type { VolumeAttachment } from "../../api/types/storage/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { AuthorizationAttributes, Authorizer, Decision, SubjectRules } from "./authorizer.ts";
import { nodeRules } from "./bootstrap/index.ts";
import { coversResource } from "./rules.ts";

const NODES_GROUP = "system:nodes";
const NODE_PREFIX = "system:node:";
const LEASE_NAMESPACE = "kube-node-lease";
const READING: ReadonlySet<string> = new Set(["get", "list", "watch"]);
const SELECT_PODS = "can only list/watch pods with spec.nodeName field selector";
const SELECT_SLICES = "can only list/watch/deletecollection resourceslices with nodeName field selector";
const SELECT_REQUESTS = "can only list/watch podcertificaterequests with nodeName field selector";

const allowed: Decision = { allowed: true, reason: "" };
const unknown: Decision = { allowed: false, reason: "" };

/** What the authorizer looks up; see WatchedCollection. */
export interface NodeGraphSource {
  readonly pods: { onChange(listener: (key: string, pod: DeepReadonly<Pod> | undefined) => void): void };
  readonly persistentVolumes: { get(name: string): DeepReadonly<PersistentVolume> | undefined };
  readonly volumeAttachments: { get(name: string): DeepReadonly<VolumeAttachment> | undefined };
  readonly resourceSlices: { get(name: string): DeepReadonly<ResourceSlice> | undefined };
  readonly podCertificateRequests: { get(key: string): DeepReadonly<PodCertificateRequest> | undefined };
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
  #refusal(node: string, attributes: AuthorizationAttributes): Decision | undefined {
    const { verb, resource, subresource, namespace, name } = attributes;
    const { resourceSlices, podCertificateRequests, volumeAttachments } = this.#source;
    const unlessRelated = (isRelated: boolean) =>
      isRelated ? undefined : refused(`no relationship found between node '${node}' and this object`);
    const isReferred = this.#refersTo(node, `${resource}/${namespace}/${name}`);
    switch (resource) {
      case "secrets":
      case "configmaps":
        return name === "" ? refused("No Object name found") : unlessRelated(isReferred);
      case "persistentvolumeclaims":
      case "resourceclaims":
      case "serviceaccounts":
        return unlessRelated(isReferred);
      case "persistentvolumes":
        return unlessRelated(this.#usesVolume(node, name));
      case "volumeattachments":
        return unlessRelated(volumeAttachments.get(name)?.spec.nodeName === node);
      case "leases":
        if (namespace !== LEASE_NAMESPACE) return refused(`can only access leases in the "${LEASE_NAMESPACE}" system namespace`);
        return name === node || verb === "create"
          ? undefined
          : refused("can only access node lease with the same name as the requesting node");
      case "csinodes":
        return name === node || verb === "create"
          ? undefined
          : refused("can only access CSINode with the same name as the requesting node");
      case "nodes":
        return READING.has(verb) && name !== node ? refused(foreignNode(node, name)) : undefined;
      case "pods":
        // What is created, deleted or told of the status is looked at by NodeRestriction.
        if (subresource !== "" || !READING.has(verb)) return undefined;
        if (isSelection(attributes)) return selectsOwn(attributes, node) ? undefined : refused(SELECT_PODS);
        return unlessRelated(this.#counted.get(`${namespace}/${name}`)?.node === node);
      case "resourceslices":
        if (verb === "create") return undefined;
        if (isSelection(attributes)) return selectsOwn(attributes, node) ? undefined : refused(SELECT_SLICES);
        return unlessRelated(resourceSlices.get(name)?.spec.nodeName === node);
      case "podcertificaterequests":
        if (verb === "create") return undefined;
        if (isSelection(attributes)) return selectsOwn(attributes, node) ? undefined : refused(SELECT_REQUESTS);
        return unlessRelated(podCertificateRequests.get(`${namespace}/${name}`)?.spec.nodeName === node);
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

function refused(reason: string): Decision {
  return { allowed: false, reason };
}

function foreignNode(node: string, name: string): string {
  return `node '${node}' cannot read ${name === "" ? "all nodes" : `'${name}'`}, only its own Node object`;
}

/** Whether more than one object may be meant. */
function isSelection({ verb, name }: AuthorizationAttributes): boolean {
  return verb === "deletecollection" || ((verb === "list" || verb === "watch") && name === "");
}

function selectsOwn({ fieldRequirements = [] }: AuthorizationAttributes, node: string): boolean {
  return fieldRequirements.some(({ field, operator, value }) => field === "spec.nodeName" && operator === "=" && value === node);
}

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
