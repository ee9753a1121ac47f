// What an area of measurement is given, and what it answers.
import type { Row } from "./measure.ts";
import type { Target } from "./target.ts";

export interface Bench {
  readonly target: Target;
  /** Absent: the server's CPU and memory are unknown. */
  readonly serverPid: number | undefined;
  /** How long a timed loop goes on. */
  readonly seconds: number;
  readonly rounds: number;
  /** Image of real containers; it must be on the node already. */
  readonly image: string;
  /** Set apart from all other runs: a part of every name. */
  readonly run: string;
}

/** Measures one thing on a server. Throws VoidError when an answer was not as it must be. */
export type ServerArea = (bench: Bench) => Promise<Row[]>;
