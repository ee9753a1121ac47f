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
  const { spec } = object as unknown as PodCertificateRequest;
  const podName = text(`${scope.namespace}/${spec.podName}`);
  if (spec.nodeName !== nodeName) {
    return `PodCertificateRequest.Spec.NodeName=${text(spec.nodeName)}, which is not the requesting node ${text(nodeName)}`;
  }
  const node = await named<Node>(view, `node ${text(nodeName)}`, { prefix: "core/nodes", path: nodeName });
  if (node.metadata.uid !== spec.nodeUID) {
    const [asked, real] = [text(spec.nodeUID), text(node.metadata.uid)];
    throw mismatch(`PodCertificateRequest for pod ${podName} names node UID ${asked}, inconsistent with the running node (${real})`);
  }
  const pod = await named<Pod>(view, `pod ${podName}`, { prefix: "core/pods", path: `${scope.namespace}/${spec.podName}` });
  if (pod.metadata.uid !== spec.podUID) {
    const [asked, real] = [text(spec.podUID), text(pod.metadata.uid)];
    throw mismatch(`PodCertificateRequest for pod ${podName} contains pod UID (${asked}) which differs from running pod ${real}`);
  }
  if (pod.spec?.nodeName !== nodeName) return `pod ${podName} is not running on node ${text(nodeName)} named in the PodCertificateRequest`;
  if (isMirrorPod(pod)) return `pod ${podName} is a mirror pod`;
  const { serviceAccountName } = pod.spec;
  if (serviceAccountName !== spec.serviceAccountName) {
    const [asked, real] = [text(spec.serviceAccountName), text(serviceAccountName)];
    return `PodCertificateRequest for pod ${podName} contains serviceAccountName (${asked}) that differs from running pod (${real})`;
  }
  const accountPath = `${scope.namespace}/${serviceAccountName}`;
  const account = await named<ServiceAccount>(view, `service account ${text(accountPath)}`, {
    prefix: "core/serviceaccounts",
    path: accountPath,
  });
  if (account.metadata.uid !== spec.serviceAccountUID) {
    const [asked, real] = [text(spec.serviceAccountUID), text(account.metadata.uid)];
    throw mismatch(
      `PodCertificateRequest for pod ${podName} names service account UID ${asked}, which differs from the running service account (${real})`,
    );
  }
  return undefined;
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
