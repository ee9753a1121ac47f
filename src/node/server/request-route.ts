// Which of kubelet's endpoints a path means, and what a caller must be allowed to do to use it.

export type PlainRoute =
  | "healthz"
  | "syncloop"
  | "configz"
  | "metrics"
  | "resourceMetrics"
  | "cadvisor"
  | "probes"
  | "stats"
  | "pods"
  | "runningpods"
  | "logs";

export type NodeRoute =
  | { readonly type: PlainRoute }
  | {
      readonly type: "exec" | "attach" | "run" | "containerLogs";
      readonly namespace: string;
      readonly pod: string;
      readonly container: string;
    }
  | { readonly type: "portForward"; readonly namespace: string; readonly pod: string };

const PLAIN_ROUTES: Readonly<Record<string, PlainRoute>> = {
  healthz: "healthz",
  "healthz/ping": "healthz",
  "healthz/log": "healthz",
  "healthz/syncloop": "syncloop",
  configz: "configz",
  metrics: "metrics",
  "metrics/resource": "resourceMetrics",
  "metrics/cadvisor": "cadvisor",
  "metrics/probes": "probes",
  "stats/summary": "stats",
  pods: "pods",
  runningpods: "runningpods",
};

const CONTAINER_ROUTES: ReadonlySet<string> = new Set(["exec", "attach", "run", "containerLogs"]);

/** Undefined when there is no such endpoint. Paths may carry the pod's uid before the container, as kubelet's may. */
export function routeOf(path: string): NodeRoute | undefined {
  const [, first = "", ...rest] = path.replace(/\/+$/, "").split("/").map(decodeURIComponent);
  const second = rest.join("/");
  const plain = PLAIN_ROUTES[second === "" ? first : `${first}/${second}`];
  if (plain !== undefined) return { type: plain };
  if (first === "logs") return { type: "logs" };
  const [namespace = "", pod = ""] = rest;
  if (first === "portForward" && (rest.length === 2 || rest.length === 3)) return { type: first, namespace, pod };
  if (!CONTAINER_ROUTES.has(first) || (rest.length !== 3 && rest.length !== 4)) return undefined;
  return { type: first as "exec", namespace, pod, container: rest.at(-1) ?? "" };
}

const VERBS: Readonly<Record<string, string>> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** What a caller may be allowed for, the finest first. */
const SUBRESOURCES: Readonly<Record<PlainRoute, readonly string[]>> = {
  healthz: ["healthz", "proxy"],
  syncloop: ["healthz", "proxy"],
  configz: ["configz", "proxy"],
  metrics: ["metrics"],
  resourceMetrics: ["metrics"],
  cadvisor: ["metrics"],
  probes: ["metrics"],
  stats: ["stats"],
  pods: ["pods", "proxy"],
  runningpods: ["pods", "proxy"],
  logs: ["log"],
};

/** The verb and the subresources of `nodes` that kubelet asks the API server about; one of them suffices. */
export function accessOf(method: string, route: NodeRoute): { readonly verb: string; readonly subresources: readonly string[] } {
  const verb = VERBS[method] ?? "get";
  return { verb, subresources: route.type in SUBRESOURCES ? SUBRESOURCES[route.type as PlainRoute] : ["proxy"] };
}
