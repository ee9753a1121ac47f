// The table of network policies as data, and the script that turns one state of it into another.
import type { IpFamily } from "../ip-family.ts";
import { addElements, deleteElements } from "../nft/elements.ts";

/** What the elements of a set are. */
export type PolicySetKind =
  /** Addresses of pods. */
  | "addresses"
  /** Ranges of addresses; such a set never changes. */
  | "blocks"
  /** Protocols and ranges of ports; such a set never changes. */
  | "ports"
  /** Addresses with a protocol and port: where named ports are. */
  | "targets";

export interface PolicySet {
  readonly kind: PolicySetKind;
  readonly elements: ReadonlySet<string>;
}

/** A rule looks at the packet's other end (`peer`) and at where it goes (`port`); both by the names of sets. */
export interface PolicyRule {
  readonly peer?: string;
  readonly port?: string;
  readonly verdict: "accept" | "drop" | { readonly jump: string };
}

export type Direction = "ingress" | "egress";

export interface PolicyChain {
  readonly direction: Direction;
  readonly rules: readonly PolicyRule[];
}

/** Pods without an entry are not isolated. */
export interface PolicyTable {
  readonly sets: ReadonlyMap<string, PolicySet>;
  readonly chains: ReadonlyMap<string, PolicyChain>;
  /** The chain for each isolated pod of the node, by its address. */
  readonly isolated: Readonly<Record<Direction, ReadonlyMap<string, string>>>;
}

export const NO_POLICIES: PolicyTable = { sets: new Map(), chains: new Map(), isolated: { ingress: new Map(), egress: new Map() } };

export interface PolicyScriptOptions {
  readonly family: IpFamily;
  /** Name of our table; nothing outside it is touched. */
  readonly table: string;
}

const DIRECTIONS: readonly Direction[] = ["egress", "ingress"];

export function isEmpty({ isolated }: PolicyTable): boolean {
  return isolated.ingress.size + isolated.egress.size === 0;
}

/** Takes the table away, whether it is there or not. */
export function renderRemoval({ family, table }: PolicyScriptOptions): string {
  return `table ${family.table} ${table} {}\ndelete table ${family.table} ${table}\n`;
}

/**
 * Makes the table anew, without policies. Only forwarded packets are looked at: between a pod and its own node everything
 * is allowed, probes among it. What belongs to an allowed connection passes, as does what a pod sends itself by a Service.
 */
export function renderBase(options: PolicyScriptOptions): string {
  const { family, table } = options;
  const ip = family.table;
  const hook = (direction: Direction, priority: string, address: string) => `  chain ${direction} {
    type filter hook forward priority ${priority}; policy accept;
    ct state established,related accept
    ${ip} saddr . ${ip} daddr @self accept
    ${ip} ${address} vmap @${direction}_pods
  }`;
  return `${renderRemoval(options)}table ${ip} ${table} {
  map ingress_pods { type ${family.addressType} : verdict; }
  map egress_pods { type ${family.addressType} : verdict; }
  set self { type ${family.addressType} . ${family.addressType}; }
${hook("egress", "filter - 6", "saddr")}
${hook("ingress", "filter - 5", "daddr")}
}
`;
}

/** The commands that turn `current` into `wanted`; "" when nothing differs. */
export function renderChange(options: PolicyScriptOptions, current: PolicyTable, wanted: PolicyTable): string {
  const path = (name: string) => `${options.family.table} ${options.table} ${name}`;
  const goneSets = [...current.sets.keys()].filter((name) => !wanted.sets.has(name));
  const newChains = [...wanted.chains.keys()].filter((name) => !current.chains.has(name));
  const goneChains = [...current.chains.keys()].filter((name) => !wanted.chains.has(name));
  // What is named must be there first, and can go only when nothing names it any more.
  const lines = [
    ...[...wanted.sets].flatMap(([name, set]) => setChange(options, name, current.sets.get(name), set)),
    ...newChains.map((name) => `add chain ${path(name)}`),
    ...[...wanted.chains].flatMap(([name, chain]) => chainChange(options, name, current.chains.get(name), chain)),
    ...DIRECTIONS.flatMap((direction) => isolationChange(path, direction, current, wanted)),
    ...selfChange(path, current, wanted),
    ...goneChains.map((name) => `flush chain ${path(name)}`),
    ...goneChains.map((name) => `delete chain ${path(name)}`),
    ...goneSets.map((name) => `delete set ${path(name)}`),
  ];
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function setChange(options: PolicyScriptOptions, name: string, current: PolicySet | undefined, wanted: PolicySet): string[] {
  const path = `${options.family.table} ${options.table} ${name}`;
  const gone = [...(current?.elements ?? [])].filter((element) => !wanted.elements.has(element));
  const fresh = [...wanted.elements].filter((element) => current?.elements.has(element) !== true);
  const made = current === undefined ? [`add set ${path} { ${setType(options.family, wanted.kind)} }`] : [];
  return [...made, ...deleteElements(path, gone), ...addElements(path, fresh)];
}

function setType({ addressType }: IpFamily, kind: PolicySetKind): string {
  const types: Record<PolicySetKind, string> = {
    addresses: `type ${addressType};`,
    blocks: `type ${addressType}; flags interval;`,
    ports: "type inet_proto . inet_service; flags interval;",
    targets: `type ${addressType} . inet_proto . inet_service;`,
  };
  return types[kind];
}

function chainChange(options: PolicyScriptOptions, name: string, current: PolicyChain | undefined, wanted: PolicyChain): string[] {
  const rules = (chain: PolicyChain) => chain.rules.map((rule) => renderRule(options.family, chain.direction, rule));
  const path = `${options.family.table} ${options.table} ${name}`;
  const lines = rules(wanted);
  if (current !== undefined && rules(current).join("\n") === lines.join("\n")) return [];
  return [...(current === undefined ? [] : [`flush chain ${path}`]), ...lines.map((line) => `add rule ${path} ${line}`)];
}

/** The names of sets of targets start with `targets_`, for they need the packet's destination too. */
function renderRule({ table: ip }: IpFamily, direction: Direction, { peer, port, verdict }: PolicyRule): string {
  const parts: string[] = [];
  if (peer !== undefined) parts.push(`${ip} ${direction === "ingress" ? "saddr" : "daddr"} @${peer}`);
  if (port?.startsWith("targets_") === true) parts.push(`${ip} daddr . meta l4proto . th dport @${port}`);
  else if (port !== undefined) parts.push(`meta l4proto . th dport @${port}`);
  parts.push(typeof verdict === "string" ? verdict : `jump ${verdict.jump}`);
  return parts.join(" ");
}

function isolationChange(path: (name: string) => string, direction: Direction, current: PolicyTable, wanted: PolicyTable): string[] {
  const before = current.isolated[direction];
  const after = wanted.isolated[direction];
  const gone = [...before].filter(([ip, chain]) => after.get(ip) !== chain).map(([ip]) => ip);
  const fresh = [...after].filter(([ip, chain]) => before.get(ip) !== chain).map(([ip, chain]) => `${ip} : goto ${chain}`);
  const map = path(`${direction}_pods`);
  return [...deleteElements(map, gone), ...addElements(map, fresh)];
}

function selfChange(path: (name: string) => string, current: PolicyTable, wanted: PolicyTable): string[] {
  const before = isolatedAddresses(current);
  const after = isolatedAddresses(wanted);
  const pair = (ip: string) => `${ip} . ${ip}`;
  const gone = [...before].filter((ip) => !after.has(ip)).map(pair);
  const fresh = [...after].filter((ip) => !before.has(ip)).map(pair);
  return [...deleteElements(path("self"), gone), ...addElements(path("self"), fresh)];
}

function isolatedAddresses({ isolated }: PolicyTable): Set<string> {
  return new Set([...isolated.ingress.keys(), ...isolated.egress.keys()]);
}
