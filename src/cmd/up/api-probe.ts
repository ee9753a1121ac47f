// Asks the API server the two questions of `up` and `status`: is it ready, and are its nodes.
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { type ClusterPki, pkiFiles } from "../pki/cluster-pki.ts";

export interface ApiProbe {
  isReady(): Promise<boolean>;
  /** The names of the nodes whose condition Ready is True; undefined when the server does not answer. */
  readyNodes(): Promise<ReadonlySet<string> | undefined>;
}

interface NodeList {
  readonly items?: readonly {
    readonly metadata: { readonly name: string };
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

/** How long one question may take. */
const ANSWER_MS = 2_000;

export function apiProbe(port: number, pki: Pick<ClusterPki, "caFile" | "admin">): ApiProbe {
  const tls = {
    ca: readFileSync(pki.caFile),
    cert: readFileSync(pki.admin.certificateFile),
    key: readFileSync(pki.admin.privateKeyFile),
  };
  const get = (path: string) =>
    new Promise<string | undefined>((resolve) => {
      const call = request({ host: "127.0.0.1", port, path, timeout: ANSWER_MS, ...tls }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve(response.statusCode === 200 ? Buffer.concat(chunks).toString() : undefined));
        response.on("error", () => resolve(undefined));
      });
      call.on("timeout", () => call.destroy());
      call.on("error", () => resolve(undefined));
      call.end();
    });
  return {
    isReady: async () => (await get("/readyz")) !== undefined,
    readyNodes: async () => {
      const text = await get("/api/v1/nodes");
      return text === undefined ? undefined : namesOfReady(JSON.parse(text) as NodeList);
    },
  };
}

/** The probe of a cluster that has been brought up before. */
export function apiProbeOf(port: number, pkiDirectory: string): ApiProbe {
  return apiProbe(port, pkiFiles(pkiDirectory));
}

function namesOfReady(list: NodeList): ReadonlySet<string> {
  const isReady = (node: NonNullable<NodeList["items"]>[number]) =>
    (node.status?.conditions ?? []).some((condition) => condition.type === "Ready" && condition.status === "True");
  return new Set((list.items ?? []).filter(isReady).map((node) => node.metadata.name));
}
