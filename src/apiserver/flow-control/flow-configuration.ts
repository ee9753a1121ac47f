// Keeps flow control configured as the objects in the API say, makes the objects that every cluster has, and marks schemas whose
// level is missing.
import type { ApiHandler, RequestScope, ResourceCatalog, UncheckedObject } from "../../api/index.ts";
import type { FlowSchema, FlowSchemaCondition, PriorityLevelConfiguration } from "../../api/types/flowcontrol/v1.ts";
import { type Clock, formatTime, type Logger } from "../../base/index.ts";
import { type DeepReadonly, deepEqual, isAlreadyExists, isConflict, isNotFound, type KubeObject } from "../../machinery/index.ts";
import { loopbackUser } from "../authz/watched-collection.ts";
import type { WatchCache } from "../watch-cache/watch-cache.ts";
import { mandatoryLevels, mandatorySchemas, suggestedLevels, suggestedSchemas } from "./bootstrap.ts";
import type { FlowControl } from "./flow-control.ts";

export interface FlowConfigurationOptions {
  readonly handler: ApiHandler;
  readonly catalog: ResourceCatalog;
  readonly cache: WatchCache;
  readonly flowControl: FlowControl;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
}

const GROUP = "flowcontrol.apiserver.k8s.io";
const SCHEMAS = "flowschemas";
const LEVELS = "prioritylevelconfigurations";
const prefixOf = (plural: string) => `/registry/${GROUP}/${plural}/`;

/** Follows the objects until `signal` aborts. What is missing of them is made in the background. */
export function followFlowConfiguration(options: FlowConfigurationOptions, signal: AbortSignal): void {
  const { cache, flowControl, logger } = options;
  let isDue = false;
  const configure = () => {
    isDue = false;
    flowControl.configure({ schemas: objectsOf<FlowSchema>(cache, SCHEMAS), levels: objectsOf<PriorityLevelConfiguration>(cache, LEVELS) });
    for (const work of [keepMandatory(options), markDangling(options)]) {
      work.catch((error: unknown) => signal.aborted || logger.warn("flow control configuration failed", { error }));
    }
  };
  const onChange = () => {
    if (!isDue) queueMicrotask(configure);
    isDue = true;
  };
  const stops = [SCHEMAS, LEVELS].map((plural) => cache.of(prefixOf(plural)).listen(onChange));
  signal.addEventListener("abort", () => stops.forEach((stop) => void stop()));
  configure();
  makeSuggested(options).catch((error: unknown) => signal.aborted || logger.warn("flow control bootstrap failed", { error }));
}

function objectsOf<T>(cache: WatchCache, plural: string): DeepReadonly<T>[] {
  const prefix = prefixOf(plural);
  return cache
    .of(prefix)
    .entries(prefix)
    .map(({ object }) => object as unknown as DeepReadonly<T>);
}

/** Those that are there stay as they are, whatever became of them. */
async function makeSuggested(options: FlowConfigurationOptions): Promise<void> {
  const { handler } = options;
  const create = (plural: string) => (object: KubeObject) => tolerant(handler.create(scopeOf(options, plural), unchecked(object), {}));
  await Promise.all(missing(options, LEVELS, suggestedLevels).map(create(LEVELS)));
  await Promise.all(missing(options, SCHEMAS, suggestedSchemas).map(create(SCHEMAS)));
}

function missing({ cache }: FlowConfigurationOptions, plural: string, wanted: readonly KubeObject[]): readonly KubeObject[] {
  const names = new Set(objectsOf<KubeObject>(cache, plural).map(({ metadata }) => metadata.name));
  return wanted.filter(({ metadata }) => !names.has(metadata.name));
}

/** Nobody can take these away or change what they say. */
async function keepMandatory(options: FlowConfigurationOptions): Promise<void> {
  const { cache, handler } = options;
  const all: readonly [string, readonly (KubeObject & { readonly spec?: unknown })[]][] = [
    [LEVELS, mandatoryLevels as readonly KubeObject[]],
    [SCHEMAS, mandatorySchemas as readonly KubeObject[]],
  ];
  for (const [plural, wanted] of all) {
    const known = new Map(objectsOf<KubeObject & { spec?: unknown }>(cache, plural).map((object) => [object.metadata.name, object]));
    for (const object of wanted) {
      const stands = known.get(object.metadata.name);
      if (stands === undefined) await tolerant(handler.create(scopeOf(options, plural), unchecked(object), {}));
      else if (!deepEqual(stands.spec, object.spec)) {
        const right = { ...stands, spec: object.spec } as unknown as KubeObject;
        await tolerant(handler.update(scopeOf(options, plural, object.metadata.name), unchecked(right), {}));
      }
    }
  }
}

async function markDangling(options: FlowConfigurationOptions): Promise<void> {
  const { cache, handler, clock } = options;
  const levels = new Set(objectsOf<PriorityLevelConfiguration>(cache, LEVELS).map(({ metadata }) => metadata.name));
  for (const schema of objectsOf<FlowSchema>(cache, SCHEMAS)) {
    const marked = withDangling(schema, levels.has(schema.spec?.priorityLevelConfiguration.name), clock.now());
    const scope = { ...scopeOf(options, SCHEMAS, schema.metadata.name), subresource: "status" };
    if (marked !== undefined) await tolerant(handler.update(scope, unchecked(marked as KubeObject), {}));
  }
}

/** `schema` with the condition Dangling as it is; undefined when it is told already. */
export function withDangling(schema: DeepReadonly<FlowSchema>, hasLevel: boolean, nowMs: number): FlowSchema | undefined {
  const name = schema.spec?.priorityLevelConfiguration.name;
  const [status, reason, message] = hasLevel
    ? ["False", "Found", `This FlowSchema references the PriorityLevelConfiguration object named "${name}" and it exists`]
    : ["True", "NotFound", `This FlowSchema references the PriorityLevelConfiguration object named "${name}" but there is no such object`];
  const others = (schema.status?.conditions ?? []).filter(({ type }) => type !== "Dangling");
  const old = schema.status?.conditions?.find(({ type }) => type === "Dangling");
  if (old?.status === status && old.message === message) return undefined;
  const condition: FlowSchemaCondition = { type: "Dangling", status, reason, message, lastTransitionTime: formatTime(nowMs) };
  return { ...(schema as FlowSchema), status: { conditions: [...(others as FlowSchemaCondition[]), condition] } };
}

function scopeOf({ catalog }: FlowConfigurationOptions, plural: string, name = ""): RequestScope {
  const resource = catalog.find(GROUP, "v1", plural);
  if (resource === undefined) throw new Error(`the catalog has no ${plural}`);
  return {
    user: loopbackUser,
    resource,
    namespace: "",
    name,
    subresource: "",
    fieldManager: "api-priority-and-fairness-config-producer-v1",
  };
}

function unchecked(object: KubeObject): UncheckedObject {
  return object as unknown as UncheckedObject;
}

/** Someone else was faster: the event of their change brings the next look. */
async function tolerant(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isAlreadyExists(error) && !isConflict(error) && !isNotFound(error)) throw error;
  }
}
