// Deletes pods whose claims have devices with NoExecute taints that they do not tolerate, when their time is up, and tells
// in the rules that put the taints there how far that is.
import { resources, ruleSelects } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import type { ResourceClaim, ResourceSlice } from "../../api/types/resource/v1.ts";
import type { DeviceTaintRule } from "../../api/types/resource/v1beta2.ts";
import { timestamp } from "../../base/index.ts";
import { type Informer, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, isNotFound, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { markDisruptionTarget } from "../disruption-target.ts";
import { claimNames } from "../resourceclaim/plan.ts";
import { type Claim, type EvictingTaints, type Eviction, evictingTaints, podEviction, type Rule } from "./plan.ts";
import { EVICTION_IN_PROGRESS, ruleCondition } from "./rule-condition.ts";

const POD = "pod:";
const RULE = "rule:";
const BY_POOL = "pool";
const REASON = { reason: "DeletionByDeviceTaintManager", message: "Device Taint manager: deleting due to NoExecute taint" };
const EVENT = "DeviceTaintManagerEviction";
/** The shortest time between two updates of a rule's status. */
const RULE_STATUS_PERIOD_MS = 10_000;

const poolKey = (driver: string, pool: string): string => `${driver}/${pool}`;

/** @see kubernetes `pkg/controller/devicetainteviction/device_taint_eviction.go` */
export function deviceTaintEvictionController(context: ControllerContext): Controller {
  const reconciler = new DeviceTaintReconciler(context);
  return keyedController({
    name: "device-taint-eviction-controller",
    context,
    queue: reconciler.queue,
    reconcile: (key, signal) =>
      key.startsWith(POD)
        ? reconciler.reconcilePod(key.slice(POD.length), signal)
        : reconciler.reconcileRule(key.slice(RULE.length), signal),
    concurrency: 8,
  });
}

class DeviceTaintReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #pods: Informer<Pod>;
  readonly #claims: Informer<ResourceClaim>;
  readonly #slices: Informer<ResourceSlice>;
  readonly #rules: Informer<DeviceTaintRule>;
  /** Pods that are told to go later, by key: their uids. */
  readonly #marked = new Map<string, string>();
  /** How many pods went because of a rule, by its uid. */
  readonly #evicted = new Map<string, number>();

  constructor(context: ControllerContext) {
    const { informers, clock } = context;
    this.#context = context;
    this.queue = new WorkQueue({ clock });
    this.#pods = informers.informer(resources.pods);
    this.#claims = informers.informer(resources.resourceclaims);
    this.#slices = informers.informer(resources.resourceslices);
    this.#rules = informers.informer(resources.devicetaintrules);
    this.#claims.addIndex(BY_POOL, ({ status }) => [
      ...new Set((status?.allocation?.devices?.results ?? []).map(({ driver, pool }) => poolKey(driver, pool))),
    ]);
    this.#slices.addIndex(BY_POOL, ({ spec }) => [poolKey(spec.driver, spec.pool.name)]);
    this.#follow();
  }

  #follow(): void {
    const addPod = (pod: DeepReadonly<Pod>) => {
      if ((pod.spec?.resourceClaims ?? []).length > 0) this.queue.add(`${POD}${objectKey(pod)}`);
    };
    const addUsers = (claim: Claim) => {
      for (const { name } of claim.status?.reservedFor ?? []) this.queue.add(`${POD}${claim.metadata.namespace}/${name}`);
    };
    const sliceChanged = ({ spec }: DeepReadonly<ResourceSlice>) => {
      this.#claims.lister.byIndex(BY_POOL, poolKey(spec.driver, spec.pool.name)).forEach(addUsers);
    };
    const ruleChanged = (rule: Rule) => {
      for (const claim of this.#claims.lister.list()) {
        if ((claim.status?.allocation?.devices?.results ?? []).some((result) => ruleSelects(rule, result))) addUsers(claim);
      }
    };
    const ruleWritten = (rule: Rule) => {
      this.queue.add(`${RULE}${rule.metadata.name}`);
      ruleChanged(rule);
    };
    this.#pods.onChange({
      added: addPod,
      updated: (old, pod) => {
        if (old.spec !== pod.spec || old.status?.phase !== pod.status?.phase) addPod(pod);
      },
      deleted: addPod,
    });
    this.#claims.onChange({ added: addUsers, updated: (old, claim) => [old, claim].forEach(addUsers), deleted: addUsers });
    this.#slices.onChange({ added: sliceChanged, updated: (_, slice) => sliceChanged(slice), deleted: sliceChanged });
    this.#rules.onChange({
      added: ruleWritten,
      updated: (old, rule) => {
        if (deepEqual(old.spec, rule.spec)) return;
        ruleChanged(old);
        ruleWritten(rule);
      },
      deleted: ruleChanged,
    });
  }

  async reconcilePod(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { clock, recorder } = this.#context;
    const { namespace, name } = splitKey(key);
    const pod = this.#pods.lister.get(namespace, name);
    const eviction = pod === undefined ? undefined : this.#evictionOf(pod, this.#taints(this.#rules.lister.list()));
    if (pod === undefined || eviction === undefined) {
      const marked = this.#marked.get(key);
      this.#marked.delete(key);
      if (pod !== undefined && pod.metadata.uid === marked && pod.metadata.deletionTimestamp === undefined)
        recorder.event(pod, "Normal", EVENT, "Cancelling deletion");
      return undefined;
    }
    const leftMs = eviction.atMs - clock.now();
    if (leftMs > 0) {
      this.#marked.set(key, pod.metadata.uid ?? "");
      return { requeueAfterMs: leftMs };
    }
    this.#marked.delete(key);
    await this.#evict(pod, eviction, signal);
    return undefined;
  }

  async #evict(pod: DeepReadonly<Pod>, { rules }: Eviction, signal: AbortSignal): Promise<void> {
    const { client, recorder } = this.#context;
    const { name = "", namespace, uid } = pod.metadata;
    recorder.event(pod, "Normal", EVENT, "Marking for deletion");
    try {
      await markDisruptionTarget(this.#context, pod, { ...REASON, signal });
      await client.delete(resources.pods, name, { namespace, signal, options: { preconditions: { uid } } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return;
    }
    for (const rule of this.#rules.lister.list().filter(({ metadata }) => rules.has(metadata.uid ?? ""))) {
      this.#evicted.set(rule.metadata.uid ?? "", (this.#evicted.get(rule.metadata.uid ?? "") ?? 0) + 1);
      this.queue.addAfter(`${RULE}${rule.metadata.name}`, RULE_STATUS_PERIOD_MS);
    }
  }

  async reconcileRule(name: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { client, clock } = this.#context;
    const rule = this.#rules.lister.get("", name);
    if (rule === undefined) return undefined;
    const conditions = rule.status?.conditions ?? [];
    const known = conditions.find(({ type }) => type === EVICTION_IN_PROGRESS);
    if (known !== undefined && known.observedGeneration === rule.metadata.generation) {
      const leftMs = Date.parse(known.lastTransitionTime) + RULE_STATUS_PERIOD_MS - clock.now();
      if (leftMs > 0) return { requeueAfterMs: leftMs };
    }
    const condition = ruleCondition(rule, this.#countsOf(rule));
    const { lastTransitionTime: _, ...before } = known ?? {};
    if (deepEqual(before, condition)) return undefined;
    const others = conditions.filter((each) => each !== known);
    const status = { ...rule.status, conditions: [...others, { ...condition, lastTransitionTime: timestamp(clock) }] };
    await client.update(resources.devicetaintrules, { ...rule, status }, { subresource: "status", signal });
    return undefined;
  }

  #countsOf(rule: Rule) {
    const { effect } = rule.spec.taint;
    const uid = rule.metadata.uid ?? "";
    const evicted = this.#evicted.get(uid) ?? 0;
    const none = { pods: 0, namespaces: 0, evicted, publishedDevices: 0, allocatedDevices: 0 };
    if (effect !== "NoExecute" && effect !== "None") return none;
    // A rule without effect tells what it would do.
    const asked: Rule = { ...rule, spec: { ...rule.spec, taint: { ...rule.spec.taint, effect: "NoExecute" } } };
    const rules = effect === "None" ? [asked] : this.#rules.lister.list();
    const taints = this.#taints(rules);
    const pods = this.#pods.lister.list().filter((pod) => this.#evictionOf(pod, taints)?.rules.has(uid) === true);
    const counts = { ...none, pods: pods.length, namespaces: new Set(pods.map(({ metadata }) => metadata.namespace)).size };
    if (effect === "NoExecute") return counts;
    const published = this.#slices.lister
      .list()
      .flatMap(({ spec }) => (spec.devices ?? []).map(({ name }) => ({ driver: spec.driver, pool: spec.pool.name, device: name })));
    const allocated = this.#claims.lister.list().flatMap(({ status }) => status?.allocation?.devices?.results ?? []);
    const selected = (devices: typeof published) => devices.filter((device) => ruleSelects(rule, device)).length;
    return { ...counts, publishedDevices: selected(published), allocatedDevices: selected(allocated) };
  }

  #taints(rules: readonly Rule[]): EvictingTaints {
    return evictingTaints((driver, pool) => this.#slices.lister.byIndex(BY_POOL, poolKey(driver, pool)), rules);
  }

  #evictionOf(pod: DeepReadonly<Pod>, taints: EvictingTaints): Eviction | undefined {
    const claims = claimNames(pod).flatMap((name) => this.#claims.lister.get(pod.metadata.namespace ?? "", name) ?? []);
    return podEviction(pod, claims, taints);
  }
}
