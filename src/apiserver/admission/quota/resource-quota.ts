// ResourceQuota: counts a write against its namespace's quotas before it happens, so that no two writes get the last of
// something. Writes that come at the same time are counted together and stored at once.
import { quotaEvaluator } from "../../../api/index.ts";
import type { ResourceQuota } from "../../../api/types/core/v1.ts";
import { conflict, type DeepReadonly, forbidden } from "../../../machinery/index.ts";
import { RevisionConflictError } from "../../../storage/index.ts";
import { draftOf } from "../../registry/draft.ts";
import { storedResource } from "../../registry/key.ts";
import type { CacheEntry } from "../../watch-cache/cache-entry.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import type { ClusterView } from "../cluster-view.ts";
import { type Account, accountOf, type Charge, planCharge } from "./plan.ts";

const PREFIX = "/registry/core/resourcequotas/";
/** Rounds after which a quota that others keep changing is given up. */
const MAX_ROUNDS = 8;
const quotas = { group: "", resource: "resourcequotas" };

interface PendingCharge extends Charge {
  readonly isDryRun: boolean;
  accept(): void;
  refuse(error: Error): void;
  readonly admission: AdmissionRequest;
}

/** The quota that is counted on, and the entry that it was read from. */
interface Ledger {
  entry: CacheEntry;
  account: Account;
}

export class ResourceQuotaAdmission implements AdmissionPlugin {
  readonly name = "ResourceQuota";
  readonly #view: ClusterView;
  /** By namespace: what waits for the round that is under way. A namespace stands here only while a round is. */
  readonly #waiting = new Map<string, PendingCharge[]>();

  constructor(view: ClusterView) {
    this.#view = view;
  }

  validate(admission: AdmissionRequest): void | Promise<void> {
    const { operation, scope, object, old, isDryRun } = admission;
    if (scope.namespace === "" || object === undefined || (operation !== "CREATE" && operation !== "UPDATE")) return;
    if (this.#entries(scope.namespace).length === 0) return;
    const { group, resource } = storedResource(scope.resource);
    const evaluator = quotaEvaluator(group, resource);
    const request = { operation, subresource: scope.subresource, object, old };
    if (!evaluator.handles(request)) return;
    return new Promise((accept, refuse) => this.#enqueue(scope.namespace, { evaluator, request, isDryRun, accept, refuse, admission }));
  }

  #entries(namespace: string): readonly CacheEntry[] {
    return this.#view.cache.of(PREFIX).entries(`${PREFIX}${namespace}/`);
  }

  #enqueue(namespace: string, charge: PendingCharge): void {
    const waiting = this.#waiting.get(namespace);
    if (waiting !== undefined) {
      waiting.push(charge);
      return;
    }
    this.#waiting.set(namespace, [charge]);
    void this.#work(namespace);
  }

  async #work(namespace: string): Promise<void> {
    for (;;) {
      const charges = this.#waiting.get(namespace) ?? [];
      if (charges.length === 0) break;
      this.#waiting.set(namespace, []);
      try {
        await this.#settle(namespace, charges);
      } catch (error) {
        for (const charge of charges) charge.refuse(error as Error);
      }
    }
    this.#waiting.delete(namespace);
  }

  async #settle(namespace: string, charges: readonly PendingCharge[]): Promise<void> {
    await this.#view.cache.waitForNewest();
    let ledgers = this.#entries(namespace).map(ledgerOf);
    let open = charges;
    for (let round = 1; ledgers.length > 0 && open.length > 0; round++) {
      const changed = new Set<Ledger>();
      open = open.filter((charge) => this.#count(ledgers, charge, changed));
      // Only quotas that others changed meanwhile are counted once more.
      ledgers = (await Promise.all([...changed].map((ledger) => this.#write(ledger)))).flat();
      if (round === MAX_ROUNDS && ledgers.length > 0) throw conflict(quotas, "", "the quota is changed too often");
    }
    for (const { accept } of open) accept();
  }

  /** Counts a charge on `ledgers`, or refuses it. */
  #count(ledgers: readonly Ledger[], charge: PendingCharge, changed: Set<Ledger>): boolean {
    const accounts = ledgers.map(({ account }) => account);
    const verdict = planCharge(accounts, charge, this.#view.clock.now());
    if ("refusal" in verdict) {
      const { scope, object } = charge.admission;
      charge.refuse(forbidden(scope.resource, object?.metadata.name ?? scope.name, verdict.refusal));
      return false;
    }
    if (charge.isDryRun) return true;
    for (const account of verdict.changed) {
      const ledger = ledgers.find(({ account: { quota } }) => quota === account.quota);
      if (ledger === undefined) continue;
      ledger.account = account;
      changed.add(ledger);
    }
    return true;
  }

  /** Nothing when the quota is written or gone; its newer state when someone else changed it. */
  async #write({ entry, account }: Ledger): Promise<Ledger[]> {
    const { cache, store } = this.#view;
    const draft = draftOf(entry.object);
    draft["status"] = { ...(draft["status"] as object | undefined), used: account.used };
    const value = cache.entries.encode(draft);
    try {
      await store.update(entry.key, value, entry.revision);
      return [];
    } catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      return error.current === undefined ? [] : [ledgerOf(cache.entries.entry(error.current))];
    }
  }
}

function ledgerOf(entry: CacheEntry): Ledger {
  return { entry, account: accountOf(entry.object as DeepReadonly<ResourceQuota>) };
}
