// A node asks for certificates only for pods that run on it, in the names that these really have.
import type { PodCertificateRequest } from "../../../api/types/certificates/v1beta1.ts";
import type { Node, Pod, ServiceAccount } from "../../../api/types/core/v1.ts";
import { type DeepReadonly, internalError, type KubeObject } from "../../../machinery/index.ts";
import type { AdmissionRequest } from "../admission.ts";
import { type ClusterView, lookUp } from "../cluster-view.ts";
import { isMirrorPod } from "../pod-fields.ts";

const text = (value: string | undefined): string => JSON.stringify(value ?? "");

/** Why not; undefined when it may. What a look at newer objects may heal is no refusal but an error. */
export async function checkPodCertificateRequest(
  { operation, scope, object }: AdmissionRequest,
  nodeName: string,
  view: ClusterView,
): Promise<string | undefined> {
  if (operation !== "CREATE" || object === undefined) return `unexpected operation ${operation}`;
  if (scope.subresource !== "") return `unexpected subresource ${scope.subresource}`;
  const asked: AskedFor = { ...(object as unknown as PodCertificateRequest).spec, namespace: scope.namespace };
  if (asked.nodeName !== nodeName) {
    return `PodCertificateRequest.Spec.NodeName=${text(asked.nodeName)}, which is not the requesting node ${text(nodeName)}`;
  }
  await checkNodeUid(asked, view);
  const refusal = await checkRunningPod(asked, view);
  if (refusal === undefined) await checkAccountUid(asked, view);
  return refusal;
}

type AskedFor = PodCertificateRequest["spec"] & { readonly namespace: string };

const podOf = ({ namespace, podName }: AskedFor): string => text(`${namespace}/${podName}`);

async function checkNodeUid(asked: AskedFor, view: ClusterView): Promise<void> {
  const { nodeName, nodeUID } = asked;
  const { uid } = (await named<Node>(view, `node ${text(nodeName)}`, { prefix: "core/nodes", path: nodeName })).metadata;
  if (uid === nodeUID) return;
  const names = `PodCertificateRequest for pod ${podOf(asked)} names node UID ${text(nodeUID)}`;
  throw mismatch(`${names}, inconsistent with the running node (${text(uid)})`);
}

async function checkRunningPod(asked: AskedFor, view: ClusterView): Promise<string | undefined> {
  const name = podOf(asked);
  const pod = await named<Pod>(view, `pod ${name}`, { prefix: "core/pods", path: `${asked.namespace}/${asked.podName}` });
  const contains = `PodCertificateRequest for pod ${name} contains`;
  if (pod.metadata.uid !== asked.podUID) {
    throw mismatch(`${contains} pod UID (${text(asked.podUID)}) which differs from running pod ${text(pod.metadata.uid)}`);
  }
  const { nodeName, serviceAccountName } = pod.spec ?? {};
  if (nodeName !== asked.nodeName) return `pod ${name} is not running on node ${text(asked.nodeName)} named in the PodCertificateRequest`;
  if (isMirrorPod(pod)) return `pod ${name} is a mirror pod`;
  if (serviceAccountName === asked.serviceAccountName) return undefined;
  return `${contains} serviceAccountName (${text(asked.serviceAccountName)}) that differs from running pod (${text(serviceAccountName)})`;
}

async function checkAccountUid(asked: AskedFor, view: ClusterView): Promise<void> {
  const { namespace, serviceAccountName, serviceAccountUID } = asked;
  const path = `${namespace}/${serviceAccountName}`;
  const account = await named<ServiceAccount>(view, `service account ${text(path)}`, { prefix: "core/serviceaccounts", path });
  const { uid } = account.metadata;
  if (uid === serviceAccountUID) return;
  const names = `PodCertificateRequest for pod ${podOf(asked)} names service account UID ${text(serviceAccountUID)}`;
  throw mismatch(`${names}, which differs from the running service account (${text(uid)})`);
}

async function named<T extends KubeObject>(
  view: ClusterView,
  what: string,
  { prefix, path }: { readonly prefix: string; readonly path: string },
): Promise<DeepReadonly<T>> {
  const found = await lookUp<T>(view, prefix, path);
  if (found === undefined) throw mismatch(`while retrieving ${what} named in the PodCertificateRequest: not found`);
  return found;
}

function mismatch(message: string): Error {
  return internalError(new Error(message));
}
