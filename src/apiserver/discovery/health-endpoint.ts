// /healthz, /livez and /readyz with named checks.
import { badRequest } from "../../machinery/index.ts";
import type { Endpoint, Exchange } from "../front/exchange.ts";
import { resourceNotFound } from "../front/resource-endpoint.ts";
import { writeBody } from "../front/respond.ts";

export interface HealthCheck {
  readonly name: string;
  /** Throws, or resolves with false, when unhealthy. */
  check(): boolean | Promise<boolean>;
}

interface Outcome {
  readonly name: string;
  readonly isHealthy: boolean;
}

export class HealthEndpoint implements Endpoint {
  readonly #title: string;
  readonly #checks: readonly HealthCheck[];

  /** `title` is the path's name: `readyz`. */
  constructor(title: string, checks: readonly HealthCheck[]) {
    this.#title = title;
    this.#checks = checks;
  }

  async serve(exchange: Exchange): Promise<void> {
    const { segments, query, verb } = exchange.info;
    if (verb !== "get" && verb !== "head") throw badRequest("health checks are asked for with GET");
    const [, only] = segments;
    const excluded = new Set(query?.getAll("exclude") ?? []);
    const checks = this.#checks.filter(({ name }) => (only === undefined || name === only) && !excluded.has(name));
    if (only !== undefined && checks.length === 0) throw resourceNotFound();
    const outcomes = await Promise.all(checks.map(runCheck));
    const isHealthy = outcomes.every((outcome) => outcome.isHealthy);
    const isVerbose = query?.has("verbose") === true || !isHealthy;
    const unknown = [...excluded].filter((name) => !this.#checks.some((check) => check.name === name));
    const text = isVerbose ? this.#report(outcomes, { isHealthy, unknown }) : "ok";
    writeBody(exchange, isHealthy ? 200 : 500, Buffer.from(text), "text/plain; charset=utf-8");
  }

  #report(
    outcomes: readonly Outcome[],
    { isHealthy, unknown }: { readonly isHealthy: boolean; readonly unknown: readonly string[] },
  ): string {
    const lines = outcomes.map(({ name, isHealthy: isFine }) => (isFine ? `[+]${name} ok` : `[-]${name} failed: reason withheld`));
    const quoted = unknown.map((name) => JSON.stringify(name)).join(",");
    if (unknown.length > 0) lines.push(`warn: some health checks cannot be excluded: no matches for ${quoted}`);
    return `${[...lines, `${this.#title} check ${isHealthy ? "passed" : "failed"}`].join("\n")}\n`;
  }
}

async function runCheck(check: HealthCheck): Promise<Outcome> {
  try {
    return { name: check.name, isHealthy: await check.check() };
  } catch {
    return { name: check.name, isHealthy: false };
  }
}
