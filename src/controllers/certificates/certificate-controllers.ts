// Approves, signs and removes certificate requests.
import { resources } from "../../api/index.ts";
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from "../../api/types/certificates/v1.ts";
import { timestamp } from "../../base/index.ts";
import { type Informer, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { isConflict, isNotFound } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { hasCondition, keptUntilMs, type SigningRequest } from "./lifetime.ts";
import { approvalsFor, isBuiltInSigner, signingProblem } from "./rules.ts";
import type { CertificateAuthority } from "./signer.ts";

export interface CertificateControllersOptions {
  readonly authority: CertificateAuthority;
}

const HOUR_MS = 3_600_000;
/** Upstream's --cluster-signing-duration. */
const DURATION_MS = 365 * 24 * HOUR_MS;

type Reconcile = (request: SigningRequest, signal: AbortSignal) => Promise<ReconcileResult | undefined>;

function requestController(context: ControllerContext, name: string, reconcile: Reconcile): Controller {
  const queue = new WorkQueue<string>({ clock: context.clock });
  const requests: Informer<CertificateSigningRequest> = context.informers.informer(resources.certificatesigningrequests);
  const add = ({ metadata }: SigningRequest) => queue.add(metadata.name ?? "");
  requests.onChange({ added: add, updated: (_, request) => add(request) });
  const reconcileKey = async (key: string, signal: AbortSignal) => {
    const request = requests.lister.get("", key);
    return request === undefined ? undefined : reconcile(request, signal);
  };
  return keyedController({ name, context, queue, reconcile: reconcileKey });
}

function textOf({ spec }: SigningRequest): string {
  return Buffer.from(spec.request, "base64").toString("latin1");
}

/** Approves kubelets' client certificates of those who may have them. @see kubernetes `pkg/controller/certificates/approver` */
export function csrApprovingController(context: ControllerContext, { authority }: CertificateControllersOptions): Controller {
  const { client, clock } = context;
  const mayCreate = async ({ spec }: SigningRequest, subresource: string, signal: AbortSignal) => {
    const resourceAttributes = {
      group: "certificates.k8s.io",
      resource: "certificatesigningrequests",
      verb: "create",
      subresource,
      version: "*",
    };
    const user = { user: spec.username ?? "", uid: spec.uid, groups: [...(spec.groups ?? [])], extra: spec.extra };
    const review = await client.create(resources.subjectaccessreviews, { metadata: {}, spec: { ...user, resourceAttributes } }, { signal });
    return review.status?.allowed === true;
  };
  return requestController(context, "certificatesigningrequest-approving-controller", async (request, signal) => {
    if (request.status?.certificate || hasCondition(request, "Approved") || hasCondition(request, "Denied")) return undefined;
    const { signerName, usages = [], username = "" } = request.spec;
    if (!isBuiltInSigner(signerName)) return undefined;
    const asked = await authority.read(textOf(request)).catch(() => undefined);
    if (asked === undefined) return undefined;
    for (const { permission, message } of approvalsFor({ signerName, usages, username }, asked)) {
      if (!(await mayCreate(request, permission, signal))) continue;
      const approved = withCondition(request, { type: "Approved", reason: "AutoApproved", message }, timestamp(clock));
      await client.update(resources.certificatesigningrequests, approved, { subresource: "approval", signal });
      return undefined;
    }
    return undefined;
  });
}

/** Signs what is approved and fits its signer's rules. @see kubernetes `pkg/controller/certificates/signer` */
export function csrSigningController(context: ControllerContext, { authority }: CertificateControllersOptions): Controller {
  const { client, clock } = context;
  return requestController(context, "certificatesigningrequest-signing-controller", async (request, signal) => {
    const { signerName, usages = [], expirationSeconds } = request.spec;
    if (!isBuiltInSigner(signerName) || !hasCondition(request, "Approved") || request.status?.certificate) return undefined;
    if (hasCondition(request, "Denied") || hasCondition(request, "Failed")) return undefined;
    const call = { subresource: "status", signal };
    const problem = await problemOf(authority, request);
    if (problem !== undefined) {
      const failed = withCondition(request, { type: "Failed", reason: "SignerValidationFailure", message: problem }, timestamp(clock));
      await client.update(resources.certificatesigningrequests, failed, call);
      return undefined;
    }
    const durationMs = expirationSeconds === undefined ? DURATION_MS : Math.min(DURATION_MS, expirationSeconds * 1_000);
    const certificate = Buffer.from(await authority.sign(textOf(request), { usages, durationMs })).toString("base64");
    await client.update(resources.certificatesigningrequests, { ...request, status: { ...request.status, certificate } }, call);
    return undefined;
  });
}

async function problemOf(authority: CertificateAuthority, request: SigningRequest): Promise<string | undefined> {
  try {
    const { signerName, usages = [] } = request.spec;
    return signingProblem(signerName, await authority.read(textOf(request)), usages);
  } catch (error) {
    return `unable to parse csr "${request.metadata.name}": ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Removes requests that nobody waits for any more. @see kubernetes `pkg/controller/certificates/cleaner` */
export function csrCleanerController(context: ControllerContext, { authority }: CertificateControllersOptions): Controller {
  const { client, clock } = context;
  return requestController(context, "certificatesigningrequest-cleaner-controller", async (request, signal) => {
    const { certificate } = request.status ?? {};
    const endsMs = certificate ? authority.expiresAtMs(Buffer.from(certificate, "base64").toString("latin1")) : undefined;
    const waitMs = keptUntilMs(request, endsMs) - clock.now();
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    const { name = "", uid } = request.metadata;
    try {
      await client.delete(resources.certificatesigningrequests, name, {
        options: { preconditions: { ...(uid === undefined ? {} : { uid }) } },
        signal,
      });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
    return undefined;
  });
}

function withCondition(
  request: SigningRequest,
  condition: Pick<CertificateSigningRequestCondition, "type" | "reason" | "message">,
  now: string,
): SigningRequest {
  const full = { ...condition, status: "True", lastUpdateTime: now, lastTransitionTime: now };
  return { ...request, status: { ...request.status, conditions: [...(request.status?.conditions ?? []), full] } };
}
