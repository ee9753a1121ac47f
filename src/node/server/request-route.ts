// Which of kubelet's endpoints a path means, and what a caller must be allowed to do to use it.

export type NodeRoute =
  | { readonly type: "healthz" | "metrics" | "resourceMetrics" | "stats" | "pods" }
  | {
      readonly type: "exec" | "attach" | "run" | "containerLogs";
      readonly namespace: string;
      readonly pod: string;
      readonly container: string;
    }
  | { readonly type: "portForward"; readonly namespace: string; readonly pod: string };

const CONTAINER_ROUTES: ReadonlySet<string> = new Set(["exec", "attach", "run", "containerLogs"]);

/** Undefined when there is no such endpoint. Paths may carry the pod's uid before the container, as kubelet's may. */
export function routeOf(path: string): NodeRoute | undefined {
  const [, first = "", ...rest] = path.replace(/\/+$/, "").split("/").map(decodeURIComponent);
  const second = rest.join("/");
  if (first === "healthz" || (first === "pods" && rest.length === 0)) return { type: first };
  if (first === "metrics") return rest.length === 0 ? { type: "metrics" } : second === "resource" ? { type: "resourceMetrics" } : undefined;
  if (first === "stats" && second === "summary") return { type: "stats" };
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

/** The verb and the subresource of `nodes` that kubelet asks the API server about. */
export function accessOf(method: string, route: NodeRoute): { readonly verb: string; readonly subresource: string } {
  const verb = VERBS[method] ?? "get";
  if (route.type === "stats") return { verb, subresource: "stats" };
  if (route.type === "metrics" || route.type === "resourceMetrics") return { verb, subresource: "metrics" };
  if (route.type === "healthz" || route.type === "pods") return { verb, subresource: route.type };
  return { verb, subresource: "proxy" };
}
