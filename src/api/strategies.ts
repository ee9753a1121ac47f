// Which strategy belongs to which resource, by `group/plural`. A resource without one has no defaults and no validation
// beyond its schema.
import type { KindStrategy } from "./strategy.ts";

// biome-ignore lint/suspicious/noExplicitAny: a table of strategies of many types; each is used only with its own kind
export const strategies: Readonly<Record<string, KindStrategy<any>>> = {};
