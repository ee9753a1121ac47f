// A container's environment: service variables, then envFrom, then env, each overriding what came before.
import type { EnvFromSource, EnvVar, EnvVarSource } from "../../api/types/core/v1.ts";
import { type DeepReadonly, isNotFound } from "../../machinery/index.ts";
import type { NodeContext } from "../node-context.ts";
import type { ContainerSpec, PodObject } from "../pod/pod-object.ts";
import { expand } from "./expansion.ts";
import { fieldValue, resourceValue } from "./field-ref.ts";
import { serviceEnv } from "./service-env.ts";

/** The container cannot be configured; its message goes to the waiting state CreateContainerConfigError. */
export class ContainerConfigError extends Error {
  readonly code = "CONTAINER_CONFIG";
}

export interface EnvInput {
  readonly context: Pick<NodeContext, "objects" | "services" | "nodeIps">;
  readonly pod: PodObject;
  readonly container: ContainerSpec;
  readonly podIps: readonly string[];
  readonly allocatable: Readonly<Record<string, string>>;
}

/** The variables in order; rejects with ContainerConfigError when a source is missing. */
export async function containerEnv(input: EnvInput): Promise<Map<string, string>> {
  const { context, pod, container } = input;
  const namespace = pod.metadata.namespace ?? "";
  const services = serviceEnv(context.services.list(), { namespace, hasServiceLinks: pod.spec?.enableServiceLinks !== false });
  const env = new Map<string, string>();
  for (const source of container.envFrom ?? []) await addAll(env, source, input);
  for (const variable of container.env ?? []) await addOne({ env, services }, variable, input);
  for (const [name, value] of services) if (!env.has(name)) env.set(name, value);
  return env;
}

async function addAll(env: Map<string, string>, source: DeepReadonly<EnvFromSource>, input: EnvInput): Promise<void> {
  const { configMapRef, secretRef, prefix = "" } = source;
  const data =
    configMapRef === undefined
      ? await secretData(input, secretRef?.name ?? "", secretRef?.optional === true)
      : await configMapData(input, configMapRef.name ?? "", configMapRef.optional === true);
  for (const name of Object.keys(data ?? {}).sort()) env.set(`${prefix}${name}`, data?.[name] ?? "");
}

interface Known {
  readonly env: Map<string, string>;
  readonly services: ReadonlyMap<string, string>;
}

async function addOne({ env, services }: Known, variable: DeepReadonly<EnvVar>, input: EnvInput): Promise<void> {
  const { name, value, valueFrom } = variable;
  if (valueFrom === undefined) {
    env.set(
      name,
      expand(value ?? "", (reference) => env.get(reference) ?? services.get(reference)),
    );
    return;
  }
  const resolved = await resolveSource(valueFrom, input);
  if (resolved !== undefined) env.set(name, resolved);
}

async function resolveSource(source: DeepReadonly<EnvVarSource>, input: EnvInput): Promise<string | undefined> {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = source;
  const namespace = input.pod.metadata.namespace ?? "";
  if (fieldRef !== undefined) {
    const value = fieldValue(input.pod, fieldRef.fieldPath, { nodeIps: input.context.nodeIps, podIps: input.podIps });
    if (value === undefined) throw new ContainerConfigError(`unsupported fieldPath: ${fieldRef.fieldPath}`);
    return value;
  }
  if (resourceFieldRef !== undefined) return resourceValue(input.pod, resourceFieldRef, input);
  if (configMapKeyRef !== undefined) {
    const { name = "", key, optional = false } = configMapKeyRef;
    const value = (await configMapData(input, name, optional))?.[key];
    if (value === undefined && !optional) throw new ContainerConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
    return value;
  }
  if (secretKeyRef !== undefined) {
    const { name = "", key, optional = false } = secretKeyRef;
    const value = (await secretData(input, name, optional))?.[key];
    if (value === undefined && !optional) throw new ContainerConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
    return value;
  }
  return undefined;
}

type Data = Readonly<Record<string, string>> | undefined;

async function configMapData({ context, pod }: EnvInput, name: string, isOptional: boolean): Promise<Data> {
  return orMissing({ kind: "configmap", name, isOptional }, async () => {
    return (await context.objects.configMap(pod.metadata.namespace ?? "", name)).data ?? {};
  });
}

async function secretData({ context, pod }: EnvInput, name: string, isOptional: boolean): Promise<Data> {
  return orMissing({ kind: "secret", name, isOptional }, async () => {
    const { data = {} } = await context.objects.secret(pod.metadata.namespace ?? "", name);
    return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]));
  });
}

async function orMissing(
  { kind, name, isOptional }: { readonly kind: string; readonly name: string; readonly isOptional: boolean },
  fetch: () => Promise<Data>,
): Promise<Data> {
  try {
    return await fetch();
  } catch (error) {
    if (!isNotFound(error)) throw new ContainerConfigError(error instanceof Error ? error.message : String(error), { cause: error });
    if (isOptional) return undefined;
    throw new ContainerConfigError(`${kind} "${name}" not found`, { cause: error });
  }
}
