// `/containerLogs`: what the query asks for, as the log reader's options.
import { isTrue } from "../../machinery/index.ts";
import type { LogReadOptions } from "../logs/log-reader.ts";
import { HttpError } from "./http-error.ts";

export type LogQuery = Omit<LogReadOptions, "follow" | "signal"> & { readonly isFollow: boolean; readonly isPrevious: boolean };

export function parseLogQuery(query: URLSearchParams, nowMs: number): LogQuery {
  const tailLines = wholeNumber(query, "tailLines", 0);
  const limitBytes = wholeNumber(query, "limitBytes", 1);
  const sinceSeconds = wholeNumber(query, "sinceSeconds", 1);
  const sinceTime = query.get("sinceTime");
  const sinceMs = sinceSeconds !== undefined ? nowMs - sinceSeconds * 1_000 : sinceTime === null ? undefined : Date.parse(sinceTime);
  if (Number.isNaN(sinceMs)) throw new HttpError(400, `{"message": "unable to parse sinceTime ${JSON.stringify(sinceTime)}"}`);
  const stream = query.get("stream")?.toLowerCase();
  return {
    isFollow: isTrue(query.get("follow")),
    isPrevious: isTrue(query.get("previous")),
    timestamps: isTrue(query.get("timestamps")),
    tailLines,
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(stream === "stdout" || stream === "stderr" ? { stream } : {}),
  };
}

function wholeNumber(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) throw new HttpError(422, `invalid ${name}: ${JSON.stringify(text)}`);
  return value;
}
