// Which IP families a service has: what it asks for, completed by the cluster's.
// @see kubernetes `pkg/registry/core/service/storage/alloc.go`
import { type FieldError, field } from "../../../machinery/index.ts";
import { isHeadless, type ServiceSpec } from "./service-fields.ts";

export type IpFamilyName = "IPv4" | "IPv6";

/** The cluster's families, that of services which ask for none first. */
export type ClusterFamilies = readonly [IpFamilyName, ...IpFamilyName[]];

const SINGLE = "SingleStack";
const REQUIRE = "RequireDualStack";

export function familyOfAddress(address: string): IpFamilyName {
  return address.includes(":") ? "IPv6" : "IPv4";
}

/** Sets the draft's families and policy where they are open; answers what is wrong with those that are asked for. */
export function completeFamilies(spec: ServiceSpec, cluster: ClusterFamilies): FieldError[] {
  const asked = askedAddresses(spec);
  const isLoose = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0;
  const families = inferFamilies(spec.ipFamilies ?? [], asked);
  const policy = spec.ipFamilyPolicy ?? (asked.length === 2 || families.length === 2 || isLoose ? REQUIRE : SINGLE);
  const errors = [...mismatches(families, asked), ...singleStackErrors(policy, { families: spec.ipFamilies ?? [], asked })];
  // Nobody but its owner knows where the endpoints of such a service are.
  if (!isLoose) errors.push(...clusterErrors(policy, families, cluster));
  if (errors.length > 0) return errors;
  const complete = families.length === 0 ? [cluster[0]] : families;
  if (complete.length === 1 && policy !== SINGLE && (isLoose || cluster.length === 2))
    complete.push(complete[0] === "IPv4" ? "IPv6" : "IPv4");
  spec.ipFamilyPolicy = policy;
  spec.ipFamilies = complete;
  return [];
}

/** A service that goes back to one family loses its second, unless the client names others. */
export function dropSecondFamily(spec: ServiceSpec, old: ServiceSpec): void {
  if (spec.ipFamilyPolicy !== SINGLE || old.ipFamilyPolicy === SINGLE) return;
  const isAsBefore = (now: readonly string[] = [], before: readonly string[] = []) => now.join() === before.join();
  if (isAsBefore(spec.ipFamilies, old.ipFamilies)) spec.ipFamilies = spec.ipFamilies?.slice(0, 1) ?? [];
  if (isAsBefore(spec.clusterIPs, old.clusterIPs)) spec.clusterIPs = spec.clusterIPs?.slice(0, 1) ?? [];
}

function askedAddresses({ clusterIP = "", clusterIPs = [] }: ServiceSpec): string[] {
  return (clusterIPs.length > 0 ? clusterIPs : [clusterIP]).filter((address) => address !== "" && address !== "None");
}

/** Addresses say their families where these are not named. */
function inferFamilies(named: readonly string[], asked: readonly string[]): string[] {
  return [...named, ...asked.slice(named.length).map(familyOfAddress)];
}

function mismatches(families: readonly string[], asked: readonly string[]): FieldError[] {
  return asked.flatMap((address, index) => {
    const family = families[index];
    if (family === undefined || family === familyOfAddress(address)) return [];
    return [field.invalid(`spec.clusterIPs[${index}]`, address, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``)];
  });
}

function singleStackErrors(
  policy: string,
  { families, asked }: { readonly families: readonly string[]; readonly asked: readonly string[] },
): FieldError[] {
  if (policy !== SINGLE) return [];
  const wrong = (what: string) =>
    field.invalid("spec.ipFamilyPolicy", policy, `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`);
  return [...(asked.length === 2 ? [wrong("cluster IPs")] : []), ...(families.length === 2 ? [wrong("IP families")] : [])];
}

function clusterErrors(policy: string, families: readonly string[], cluster: readonly string[]): FieldError[] {
  const errors = families.flatMap((family, index) =>
    cluster.includes(family) ? [] : [field.invalid(`spec.ipFamilies[${index}]`, family, "not configured on this cluster")],
  );
  if (policy !== REQUIRE || cluster.length === 2) return errors;
  return [field.invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services"), ...errors];
}
