// An extender behind an HTTP service: the JSON forms of k8s.io/kube-scheduler/extender/v1.
import type { Clock } from "../../base/index.ts";
import type { ClusterState } from "../cluster/cluster-state.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import { MAX_SCORE } from "../framework/plugin.ts";
import type { ExtenderConfiguration } from "./configuration.ts";
import type { Extender, ExtenderFilterResult, PreemptionAnswer, PreemptionCandidate } from "./extender.ts";

/** The part of `fetch` that is needed. */
export type Fetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body: string; signal: AbortSignal },
) => Promise<Response>;

export interface HttpExtenderOptions {
  readonly configuration: ExtenderConfiguration;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly cluster: ClusterState;
}

/** Scores of extenders go from 0 to this. */
const MAX_EXTENDER_SCORE = 10;

export function httpExtender(options: HttpExtenderOptions): Extender {
  const { configuration, cluster } = options;
  const { urlPrefix, filterVerb, prioritizeVerb, preemptVerb, bindVerb, weight, ignorable, nodeCacheCapable, managedResources } =
    configuration;
  const argsFor = ({ pod }: PodInfo, nodeNames: readonly string[]) =>
    nodeCacheCapable
      ? { Pod: pod, NodeNames: nodeNames }
      : { Pod: pod, Nodes: { items: nodeNames.map((name) => cluster.node(name)?.node) } };
  const filter = (verb: string): NonNullable<Extender["filter"]> => {
    return async (pod, names, signal) => filterResult(await post(options, { verb, args: argsFor(pod, names) }, signal), names);
  };
  const prioritize = (verb: string): NonNullable<Extender["prioritize"]> => {
    return async (pod, names, signal) => {
      const list = (await post(options, { verb, args: argsFor(pod, names) }, signal)) as readonly unknown[];
      return Object.fromEntries(
        list.map(lowerCased).map(({ host, score }) => [host, Number(score) * weight * (MAX_SCORE / MAX_EXTENDER_SCORE)]),
      );
    };
  };
  const preempt = (verb: string): NonNullable<Extender["preempt"]> => {
    return async ({ pod }, candidates, signal) => {
      const victims = nodeCacheCapable
        ? { NodeNameToMetaVictims: byNode(candidates, ({ uid }) => ({ UID: uid })) }
        : { NodeNameToVictims: byNode(candidates, (victim) => victim.pod) };
      return preemptionAnswers(await post(options, { verb, args: { Pod: pod, ...victims } }, signal));
    };
  };
  const bind = (verb: string): NonNullable<Extender["bind"]> => {
    return async ({ pod, uid }, nodeName, signal) => {
      const { name, namespace } = pod.metadata;
      const args = { PodName: name, PodNamespace: namespace, PodUID: uid, Node: nodeName };
      throwError(lowerCased(await post(options, { verb, args }, signal)));
    };
  };
  return {
    name: urlPrefix,
    isIgnorable: ignorable,
    isInterested: ({ requests }) => managedResources.length === 0 || managedResources.some((name) => requests.extended.has(name)),
    ...(filterVerb !== undefined && { filter: filter(filterVerb) }),
    ...(prioritizeVerb !== undefined && { prioritize: prioritize(prioritizeVerb) }),
    ...(preemptVerb !== undefined && { preempt: preempt(preemptVerb) }),
    ...(bindVerb !== undefined && { bind: bind(bindVerb) }),
  };
}

async function post(
  { configuration, fetch, clock }: HttpExtenderOptions,
  { verb, args }: { readonly verb: string; readonly args: object },
  signal: AbortSignal,
): Promise<unknown> {
  const { urlPrefix, httpTimeoutMs } = configuration;
  const late = new AbortController();
  const timer = clock.setTimeout(() => late.abort(new Error(`extender ${urlPrefix} took too long`)), httpTimeoutMs);
  try {
    const url = `${urlPrefix.replace(/\/$/, "")}/${verb}`;
    const headers = { "content-type": "application/json" };
    const answer = await fetch(url, {
      method: "POST",
      headers,
      body: JSON.stringify(args),
      signal: AbortSignal.any([signal, late.signal]),
    });
    if (!answer.ok) throw new Error(`failed ${verb} with extender at URL ${urlPrefix}, code ${answer.status}`);
    return await answer.json();
  } finally {
    timer.cancel();
  }
}

function throwError({ error }: Readonly<Record<string, unknown>>): void {
  if (typeof error === "string" && error !== "") throw new Error(error);
}

/** Go decodes names whatever their case, so extenders write them in either. */
function lowerCased(answer: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries((answer ?? {}) as object).map(([name, value]) => [name.toLowerCase(), value]));
}

function byNode(candidates: readonly PreemptionCandidate[], show: (victim: PodInfo) => unknown): object {
  return Object.fromEntries(
    candidates.map(({ node, victims, violations }) => [node.name, { Pods: victims.map(show), NumPDBViolations: violations }]),
  );
}

function preemptionAnswers(answer: unknown): PreemptionAnswer[] {
  const { nodenametometavictims } = lowerCased(answer);
  return Object.entries((nodenametometavictims ?? {}) as object).map(([nodeName, victims]) => {
    const { pods, numpdbviolations } = lowerCased(victims);
    const victimUids = ((pods ?? []) as readonly unknown[]).map((pod) => String(lowerCased(pod)["uid"]));
    return { nodeName, victimUids, violations: Number(numpdbviolations ?? 0) };
  });
}

/** A result without nodes means that all are left. */
function filterResult(answer: unknown, asked: readonly string[]): ExtenderFilterResult {
  const result = lowerCased(answer);
  throwError(result);
  const { nodenames, nodes, failednodes, failedandunresolvablenodes } = result;
  const items = (nodes as { readonly items?: readonly { readonly metadata: { readonly name: string } }[] } | null | undefined)?.items;
  return {
    nodeNames: (nodenames as string[] | null | undefined) ?? items?.map(({ metadata }) => metadata.name) ?? asked,
    failed: (failednodes ?? {}) as Record<string, string>,
    failedAndUnresolvable: (failedandunresolvablenodes ?? {}) as Record<string, string>,
  };
}
