// Runs in a pod of extension-servers.test.ts: an API server for one resource that is kept in memory, and a mutating webhook.
// As an API server it believes the front proxy who asks, and asks the cluster whether they may.
import { readFileSync } from "node:fs";
import { createServer, request as httpsRequest } from "node:https";
import { json } from "node:stream/consumers";

const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const GROUP_VERSION = "wardle.example.com/v1";
const COLLECTION = /^\/apis\/wardle\.example\.com\/v1\/namespaces\/([^/]+)\/flunders(?:\/([^/?]+))?/;
const flunders = new Map();
let newest = 0;

/** Asks the cluster's API as the pod's service account. */
async function ask(method, path, body) {
  const headers = { authorization: `Bearer ${readFileSync(`${ACCOUNT}/token`, "utf8")}`, "content-type": "application/json" };
  const response = await new Promise((resolve, reject) => {
    const options = { host: "kubernetes.default.svc", method, path, headers, ca: readFileSync(`${ACCOUNT}/ca.crt`) };
    httpsRequest(options, resolve).on("error", reject).end(JSON.stringify(body));
  });
  return json(response);
}

async function mayDo(request, verb, namespace) {
  const user = request.headers["x-remote-user"];
  const groups = String(request.headers["x-remote-group"] ?? "").split(", ");
  const resourceAttributes = { group: "wardle.example.com", resource: "flunders", verb, namespace };
  const review = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec: { user, groups, resourceAttributes } };
  return (await ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)).status?.allowed === true;
}

async function serveFlunders(request, [, namespace, name]) {
  if (!request.socket.authorized) return [401, { kind: "Status", apiVersion: "v1", status: "Failure", code: 401 }];
  const verb = { GET: name === undefined ? "list" : "get", POST: "create", DELETE: "delete" }[request.method];
  if (!(await mayDo(request, verb, namespace))) {
    return [
      403,
      { kind: "Status", apiVersion: "v1", status: "Failure", reason: "Forbidden", code: 403, message: `no ${verb} of flunders` },
    ];
  }
  const typed = { apiVersion: GROUP_VERSION, kind: "Flunder" };
  if (verb === "create") {
    const flunder = { ...(await json(request)), ...typed };
    flunder.metadata = { ...flunder.metadata, namespace, uid: `flunder-${++newest}`, resourceVersion: `${newest}` };
    flunders.set(`${namespace}/${flunder.metadata.name}`, flunder);
    return [201, flunder];
  }
  if (verb === "list") {
    const items = [...flunders.values()].filter(({ metadata }) => metadata.namespace === namespace);
    return [200, { apiVersion: GROUP_VERSION, kind: "FlunderList", metadata: { resourceVersion: `${newest}` }, items }];
  }
  const flunder = flunders.get(`${namespace}/${name}`);
  if (flunder === undefined) return [404, { kind: "Status", apiVersion: "v1", status: "Failure", reason: "NotFound", code: 404 }];
  if (verb === "delete") flunders.delete(`${namespace}/${name}`);
  return [200, flunder];
}

/** Gives every object that it is asked about a label. */
async function mutate(request) {
  const { uid } = (await json(request)).request;
  const patch = Buffer.from(JSON.stringify([{ op: "add", path: "/metadata/labels", value: { seen: "by-the-hook" } }])).toString("base64");
  return [
    200,
    { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid, allowed: true, patchType: "JSONPatch", patch } },
  ];
}

async function serve(request) {
  const url = request.url ?? "";
  if (url.startsWith("/mutate")) return mutate(request);
  const match = COLLECTION.exec(url);
  if (match !== null) return serveFlunders(request, match);
  if (url !== `/apis/${GROUP_VERSION}`) return [url === "/healthz" ? 200 : 404, {}];
  const verbs = ["create", "delete", "get", "list"];
  const resource = { name: "flunders", singularName: "flunder", namespaced: true, kind: "Flunder", verbs };
  return [200, { kind: "APIResourceList", apiVersion: "v1", groupVersion: GROUP_VERSION, resources: [resource] }];
}

const authentication = await ask("GET", "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication");
const tls = { cert: readFileSync("/certs/tls.crt"), key: readFileSync("/certs/tls.key") };
const proxies = { ca: authentication.data["requestheader-client-ca-file"], requestCert: true, rejectUnauthorized: false };
const server = createServer({ ...tls, ...proxies }, async (request, response) => {
  const [code, body] = await serve(request);
  response.writeHead(code, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
});
server.listen(8443);
process.on("SIGTERM", () => process.exit(0));
