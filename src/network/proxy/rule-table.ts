// What stands in the proxy's table, by owner. A change touches the elements of one owner; what it comes to is told as a
// script of just these.
import { addElements, deleteElements } from "../nft/elements.ts";
import { type BalancerChain, type BalancerOptions, chainName, renderChain } from "./balancer.ts";
import type { Fragment } from "./fragment.ts";
import { COLLECTIONS, type Collection } from "./table-script.ts";

/** Of several owners who want the same key, the first by name gets it; the next follows when that one lets go. */
type Claims = { readonly owner: string; readonly value: string }[];

interface ChainUse {
  readonly chain: BalancerChain;
  users: number;
}

const NOTHING: Fragment = { elements: [], chains: [] };

export class RuleTable {
  readonly #fragments = new Map<string, Fragment>();
  readonly #claims = new Map<Collection, Map<string, Claims>>(COLLECTIONS.map((collection) => [collection, new Map()]));
  readonly #chains = new Map<string, ChainUse>();
  /** Keys that were touched since the last script, with what the kernel holds there; undefined for nothing. */
  readonly #before = new Map<Collection, Map<string, string | undefined>>(COLLECTIONS.map((collection) => [collection, new Map()]));
  /** Chains that the kernel has. */
  readonly #standing = new Set<string>();
  readonly #touchedChains = new Set<string>();

  /** Puts `fragment` in the place of what `owner` had. */
  set(owner: string, fragment: Fragment = NOTHING): void {
    const old = this.#fragments.get(owner) ?? NOTHING;
    for (const chain of fragment.chains) this.#useChain(chain, 1);
    for (const { collection, key } of old.elements) this.#release(owner, collection, key);
    for (const { collection, key, value } of fragment.elements) this.#claim(owner, collection, key, value);
    for (const chain of old.chains) this.#useChain(chain, -1);
    if (fragment === NOTHING) this.#fragments.delete(owner);
    else this.#fragments.set(owner, fragment);
  }

  /** The commands that bring the kernel from the last script's state to this one; "" when nothing differs. */
  takeChange(options: BalancerOptions): string {
    const path = (collection: string) => `${options.family.table} ${options.table} ${collection}`;
    const changes = COLLECTIONS.map((collection) => this.#takeCollection(collection));
    const removed = COLLECTIONS.flatMap((collection, index) => deleteElements(path(collection), changes[index]?.gone ?? []));
    const added = COLLECTIONS.flatMap((collection, index) => addElements(path(collection), changes[index]?.fresh ?? []));
    const { fresh, gone } = this.#takeChains();
    const newChains = fresh.map((chain) => renderChain(options, chain));
    const oldChains = gone.map((name) => `delete chain ${path(name)}`);
    // Verdict maps hold on to chains: chains come before the elements that name them and go after those are gone.
    const lines = [...newChains, ...removed, ...added, ...oldChains];
    return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
  }

  /** The kernel has lost everything: the next script starts from an empty table. */
  startOver(): void {
    this.#standing.clear();
    for (const name of this.#chains.keys()) this.#touchedChains.add(name);
    for (const collection of COLLECTIONS) {
      const before = this.#before.get(collection);
      before?.clear();
      for (const key of this.#claims.get(collection)?.keys() ?? []) before?.set(key, undefined);
    }
  }

  #claim(owner: string, collection: Collection, key: string, value: string): void {
    this.#touch(collection, key);
    const claims = this.#claims.get(collection);
    const present = claims?.get(key);
    if (present === undefined) claims?.set(key, [{ owner, value }]);
    // An owner may name a key twice, such as the address of one endpoint of two ports.
    else if (!present.some((claim) => claim.owner === owner)) {
      present.push({ owner, value });
      present.sort((a, b) => (a.owner < b.owner ? -1 : 1));
    }
  }

  #release(owner: string, collection: Collection, key: string): void {
    this.#touch(collection, key);
    const claims = this.#claims.get(collection);
    const left = claims?.get(key)?.filter((claim) => claim.owner !== owner) ?? [];
    if (left.length === 0) claims?.delete(key);
    else claims?.set(key, left);
  }

  #touch(collection: Collection, key: string): void {
    const before = this.#before.get(collection);
    if (before?.has(key) === false) before.set(key, this.#claims.get(collection)?.get(key)?.[0]?.value);
  }

  #useChain(chain: BalancerChain, change: 1 | -1): void {
    const name = chainName(chain);
    const use = this.#chains.get(name) ?? { chain, users: 0 };
    use.users += change;
    this.#touchedChains.add(name);
    if (use.users === 0) this.#chains.delete(name);
    else this.#chains.set(name, use);
  }

  #takeCollection(collection: Collection): { readonly gone: string[]; readonly fresh: string[] } {
    const gone: string[] = [];
    const fresh: string[] = [];
    const before = this.#before.get(collection) ?? new Map<string, string | undefined>();
    for (const [key, old] of before) {
      const value = this.#claims.get(collection)?.get(key)?.[0]?.value;
      if (value === old) continue;
      if (old !== undefined) gone.push(key);
      if (value !== undefined) fresh.push(value === "" ? key : `${key} : ${value}`);
    }
    before.clear();
    return { gone, fresh };
  }

  /** A chain that others jump to comes first, and goes last. */
  #takeChains(): { readonly fresh: BalancerChain[]; readonly gone: string[] } {
    const fresh: BalancerChain[] = [];
    const gone: string[] = [];
    for (const name of this.#touchedChains) {
      const chain = this.#chains.get(name)?.chain;
      if (chain !== undefined && !this.#standing.has(name)) fresh.push(chain);
      if (chain === undefined && this.#standing.has(name)) gone.push(name);
    }
    for (const chain of fresh) this.#standing.add(chainName(chain));
    for (const name of gone) this.#standing.delete(name);
    this.#touchedChains.clear();
    const isInside = (name: string) => (name.includes("_inside_") ? 1 : 0);
    fresh.sort((a, b) => isInside(chainName(b)) - isInside(chainName(a)));
    gone.sort((a, b) => isInside(a) - isInside(b));
    return { fresh, gone };
  }
}
