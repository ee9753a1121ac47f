// ServiceAccount: every pod has a service account that exists, and its token mounted unless someone objects.
import type { Pod, ServiceAccount } from "../../api/types/core/v1.ts";
import { nameSuffix } from "../../base/index.ts";
import { type DeepReadonly, forbidden } from "../../machinery/index.ts";
import { type AdmissionPlugin, type AdmissionRequest, isCreation } from "./admission.ts";
import { type ClusterView, lookUp, lookUpCached } from "./cluster-view.ts";
import { type Container, createdPodSpec, isMirrorPod, type PodSpec, pods } from "./pod-fields.ts";
import { mirrorProblem, secretProblem } from "./pod-secrets.ts";

const MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
/** An hour and a little: by this odd number upstream tells tokens that were mounted from those that were asked for. */
const TOKEN_SECONDS = 3607;
/** A new namespace gets its default account a moment later; pods wait for it. */
const DEFAULT_ACCOUNT_ATTEMPTS = 10;
const ATTEMPT_INTERVAL_MS = 100;

export class ServiceAccountAdmission implements AdmissionPlugin {
  readonly name = "ServiceAccount";
  readonly resources = ["/pods"];
  readonly mayMutate = isCreation;
  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    this.#view = view;
  }

  async mutate(request: AdmissionRequest): Promise<void> {
    const spec = createdPodSpec(request);
    if (spec === undefined || request.object === undefined || isMirrorPod(request.object)) return;
    const { serviceAccountName = "" } = spec;
    const name = serviceAccountName === "" ? "default" : serviceAccountName;
    spec.serviceAccountName = name;
    spec.serviceAccount = name;
    const account = await this.#account(request, name);
    const automounts = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
    if (automounts) mountToken(spec, () => `kube-api-access-${nameSuffix(this.#view.random)}`);
    if ((spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0) {
      spec.imagePullSecrets = (account.imagePullSecrets ?? []).map((secret) => (secret.name === undefined ? {} : { name: secret.name }));
    }
  }

  validate(request: AdmissionRequest): void {
    const spec = createdPodSpec(request);
    const { object, scope } = request;
    if (spec === undefined || object === undefined) return;
    const pod = object as unknown as Pod;
    const path = `${scope.namespace}/${spec.serviceAccountName ?? "default"}`;
    const account = lookUpCached<ServiceAccount>(this.#view, "core/serviceaccounts", path);
    const why = isMirrorPod(object) ? mirrorProblem(pod) : account && secretProblem(pod, account);
    if (why !== undefined) throw forbidden(pods, object.metadata.name ?? "", why);
  }

  async #account({ scope, object }: AdmissionRequest, name: string): Promise<DeepReadonly<ServiceAccount>> {
    const { namespace } = scope;
    for (let attempt = 1; ; attempt++) {
      const account = await lookUp<ServiceAccount>(this.#view, "core/serviceaccounts", `${namespace}/${name}`);
      if (account !== undefined) return account;
      if (name !== "default" || attempt === DEFAULT_ACCOUNT_ATTEMPTS) break;
      await this.#view.clock.sleep(ATTEMPT_INTERVAL_MS, scope.signal);
    }
    const why = `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`;
    // The name is generated later.
    throw forbidden(pods, object?.metadata.name || (object?.metadata.generateName ?? ""), why);
  }
}

function mountToken(spec: PodSpec, volumeName: () => string): void {
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const needy = containers.filter((container) => !hasMount(container));
  if (needy.length === 0) return;
  const name = spec.volumes?.find((volume) => volume.name?.startsWith("kube-api-access-"))?.name ?? volumeName();
  for (const container of needy)
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: MOUNT_PATH }];
  if (spec.volumes?.some((volume) => volume.name === name) !== true) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

function hasMount({ volumeMounts = [] }: Container): boolean {
  return volumeMounts.some(({ mountPath }) => mountPath === MOUNT_PATH);
}

function tokenVolume(name: string) {
  const sources = [
    { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: "token" } },
    { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    { downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] } },
  ];
  return { name, projected: { sources, defaultMode: 0o644 } };
}
