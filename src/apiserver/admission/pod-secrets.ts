// Which pods use secrets that they should not: mirror pods any, others those that their service account does not list.
import { podReferences } from "../../api/index.ts";
import type { Container, Pod, ServiceAccount } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

/** Marks accounts whose pods use no secrets but the account's own. */
const ENFORCE_ANNOTATION = "kubernetes.io/enforce-mountable-secrets";

/** A node shows mirror pods without asking anyone: they must not lead it to anything. */
export function mirrorProblem(pod: DeepReadonly<Pod>): string | undefined {
  const cannot = "a mirror pod may not";
  const { secrets, configMaps, claims, tokens } = podReferences(pod);
  if ((pod.spec?.serviceAccountName ?? "") !== "") return `${cannot} reference service accounts`;
  if (secrets.length > 0) return `${cannot} reference secrets`;
  if (configMaps.length > 0) return `${cannot} reference configmaps`;
  if (claims.length > 0) return `${cannot} reference persistentvolumeclaims`;
  if (tokens) return `${cannot} use ServiceAccountToken volume projections`;
  return (pod.spec?.resourceClaims ?? []).length > 0 ? `${cannot} reference resourceclaims` : undefined;
}

/** Undefined for accounts that are not marked. */
export function secretProblem(pod: DeepReadonly<Pod>, account: DeepReadonly<ServiceAccount>): string | undefined {
  if (account.metadata.annotations?.[ENFORCE_ANNOTATION] !== "true") return undefined;
  const because = `is not allowed because service account ${account.metadata.name} does not reference that`;
  const own = new Set((account.secrets ?? []).map(({ name }) => name));
  const bad = secretUses(pod).find(({ name }) => !own.has(name));
  if (bad !== undefined) return `${bad.where} secret.secretName="${bad.name}" ${because} secret`;
  const pullable = new Set((account.imagePullSecrets ?? []).map(({ name }) => name));
  const pulls = pod.spec?.imagePullSecrets ?? [];
  const index = pulls.findIndex(({ name }) => !pullable.has(name));
  return index < 0 ? undefined : `imagePullSecrets[${index}].name="${pulls[index]?.name}" ${because} imagePullSecret`;
}

interface SecretUse {
  readonly where: string;
  readonly name: string | undefined;
}

function secretUses({ spec }: DeepReadonly<Pod>): SecretUse[] {
  const uses = [
    ...(spec?.volumes ?? []).map(({ secret }) => ({ where: "volume with", name: secret?.secretName })),
    ...(spec?.initContainers ?? []).flatMap((container) => usesOf(container, "init container")),
    ...(spec?.containers ?? []).flatMap((container) => usesOf(container, "container")),
  ];
  return uses.filter(({ name }) => name !== undefined);
}

function usesOf({ name: container, env = [], envFrom = [] }: DeepReadonly<Container>, what: string): SecretUse[] {
  const where = `${what} ${container} with`;
  return [
    ...env.map(({ name, valueFrom }) => ({ where: `${where} envVar ${name} referencing`, name: valueFrom?.secretKeyRef?.name })),
    ...envFrom.map(({ secretRef }) => ({ where: `${where} envFrom referencing`, name: secretRef?.name })),
  ];
}
