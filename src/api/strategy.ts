// What is special about one kind: the answers that generic code asks for. Every function is pure but for `object`, a
// private draft that defaulting and preparing may change.
import type { Clock, Random } from "../base/index.ts";
import type { FieldError } from "../machinery/index.ts";
import type { UserInfo } from "./handler.ts";

/** `user` is who asks; absent for what the server makes itself. */
export interface StrategyContext {
  readonly clock: Pick<Clock, "now">;
  readonly random: Random;
  readonly user?: UserInfo | undefined;
}

/** One column of `kubectl get`. */
export interface PrintedColumn<T> {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  readonly format?: string;
  readonly description?: string;
  /** 0 is always shown, 1 only by `-o wide`. */
  readonly priority?: number;
  /** The cell; `nowMs` is for ages. */
  cell(object: T, nowMs: number): string | number | boolean | null;
}

export interface KindStrategy<T> {
  /**
   * Fills in what the client left out; runs on every decoded object, also on stored ones when they are read by patches. Where nothing is
   * missing it assigns nothing, for other objects may share what is below the object's own members.
   */
  applyDefaults?(object: T): void;
  /** Clears what a creator may not set (status) and sets what the server owns. */
  prepareForCreate?(object: T, context: StrategyContext): void;
  /** Keeps what an update may not change; the server then raises metadata.generation if `spec` changed (see `hasGeneration`). */
  prepareForUpdate?(object: T, old: T, context: StrategyContext): void;
  /** For the status subresource; default: everything but status and the metadata that status writers may touch comes from `old`. */
  prepareForStatusUpdate?(object: T, old: T, context: StrategyContext): void;
  /** `old` is given on updates, for kinds that let through what was there already. */
  validate?(object: T, old?: T): FieldError[];
  /** Immutable fields and transitions; `validate` runs besides. */
  validateUpdate?(object: T, old: T): FieldError[];
  validateStatusUpdate?(object: T, old: T, context: Pick<StrategyContext, "clock">): FieldError[];
  /** For other subresources that change a part of the object, by their name; `validate` runs besides. */
  readonly validateSubresourceUpdate?: Readonly<Record<string, (object: T, old: T) => FieldError[]>>;
  /** Default: DNS subdomain. */
  validateName?(name: string): string[];
  /** A warning for everyone who asks for the kind, whatever they ask. */
  readonly deprecationWarning?: string;
  /** Texts for Warning headers. */
  warnings?(object: T): string[];
  /** Name first, Age last are implied when absent. */
  readonly columns?: readonly PrintedColumn<T>[];
  /** Field selectors beside metadata.name and metadata.namespace. */
  readonly selectableFields?: Readonly<Record<string, (object: T) => string>>;
  /** Whether metadata.generation counts changes of the spec (of everything but metadata and status). */
  readonly hasGeneration?: boolean;
  /** Whether PUT without a resourceVersion is allowed. Default true. */
  readonly allowsUnconditionalUpdate?: boolean;
  /** Whether PUT may create. Default false. */
  readonly allowsCreateOnUpdate?: boolean;
  /**
   * Seconds of grace that a deletion gets (pods), given what the client asked for; 0 deletes at once. Absent: always 0.
   */
  gracePeriodSeconds?(object: T, requestedSeconds: number | undefined): number;
  /** Scale subresource: where replicas and selector stand. */
  readonly scale?: ScaleStrategy<T>;
  /** Whether strategic merge patches are understood. Default true. */
  readonly allowsStrategicMerge?: boolean;
  /** Whether finalizers need no domain. */
  readonly allowsPlainFinalizers?: boolean;
  /** Finalizers that an object gets when it is deleted. */
  readonly deletionFinalizers?: readonly string[];
  /** Changes an object that is marked as deleted while finalizers keep it. */
  prepareForDeletion?(object: T, context: Pick<StrategyContext, "clock">): void;
  /** How long an object of this kind lives (events). */
  readonly ttlSeconds?: number;
}

export interface ScaleStrategy<T> {
  specReplicas(object: T): number;
  statusReplicas(object: T): number;
  /** In the form of a label selector's text. */
  selector(object: T): string;
  setSpecReplicas(object: T, replicas: number): void;
}
