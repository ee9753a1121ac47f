// grpc probes: grpc.health.v1, whose two messages have one field each.
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { USER_AGENT } from "./probe-http.ts";
import type { ProbeOutcome } from "./prober.ts";

const SERVING_STATUSES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const SERVING = 1;

/** HealthCheckRequest{service = 1}. */
function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const length: number[] = [];
  for (let rest = name.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...length]), name]);
}

/** HealthCheckResponse{status = 1}. */
function decodeResponse(bytes: Buffer): number {
  return bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0;
}

/** Rejects with the signal's reason only. */
export function probeGrpc(address: string, service: string, signal: AbortSignal): Promise<ProbeOutcome> {
  const client = new Client(address, credentials.createInsecure(), { "grpc.primary_user_agent": USER_AGENT });
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest("/grpc.health.v1.Health/Check", encodeRequest, decodeResponse, service, (error, answer = 0) => {
      signal.removeEventListener("abort", onAbort);
      client.close();
      if (signal.aborted) reject(signal.reason);
      else if (error !== null) resolve({ result: "failure", output: explain(error, address) });
      else if (answer === SERVING) resolve({ result: "success", output: "service healthy" });
      else resolve({ result: "failure", output: `service unhealthy (responded with "${SERVING_STATUSES[answer] ?? answer}")` });
    });
    const onAbort = () => call.cancel();
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

function explain(error: ServiceError, address: string): string {
  if (error.code === status.UNIMPLEMENTED) return "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)";
  if (error.code === status.UNAVAILABLE) return `error: failed to connect service "${address}": ${error.details}`;
  return `error: health rpc probe failed: ${error.details}`;
}
