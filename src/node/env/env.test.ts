import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConfigMap, Container, Secret, Service } from "../../api/types/core/v1.ts";
import { ObjectIndex } from "../../client/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { notFound } from "../../machinery/index.ts";
import { containerEnv } from "./container-env.ts";
import { expand } from "./expansion.ts";
import { serviceEnv } from "./service-env.ts";

const configMap: ConfigMap = { metadata: { name: "settings" }, data: { color: "blue", size: "9" } };
const secret: Secret = { metadata: { name: "token" }, data: { key: Buffer.from("s3cret").toString("base64") } };

function service(namespace: string, name: string, ports: { name?: string; port: number; protocol?: string }[]): Service {
  return { metadata: { namespace, name }, spec: { clusterIP: "10.96.0.7", ports } };
}

function envOf(container: Partial<Container>, services: readonly Service[] = []) {
  const lister = new ObjectIndex<Service>();
  for (const each of services) lister.set(each as DeepReadonly<Service>);
  const find =
    <T>(object: T, known: string) =>
    (_namespace: string, name: string) =>
      name === known ? Promise.resolve(object as DeepReadonly<T>) : Promise.reject(notFound({ group: "", resource: "configmaps" }, name));
  const objects = { configMap: find(configMap, "settings"), secret: find(secret, "token") };
  return containerEnv({
    context: { objects: objects as never, services: lister, nodeIps: ["192.0.2.1"] },
    pod: { metadata: { name: "web", namespace: "shop", labels: { app: "web" } }, spec: { containers: [] } },
    container: { name: "main", ...container },
    podIps: ["10.244.0.5"],
    allocatable: { cpu: "4", memory: "1Gi" },
  });
}

test("references are replaced, unknown ones stay, two dollars escape", () => {
  const lookup = (name: string) => ({ A: "one" })[name];
  assert.equal(expand("$(A) $(B) $$(A) $A $", lookup), "one $(B) $(A) $A $");
});

test("env overrides envFrom and sees variables that stand before it", async () => {
  const env = await envOf({
    envFrom: [{ prefix: "CFG_", configMapRef: { name: "settings" } }, { secretRef: { name: "absent", optional: true } }],
    env: [
      { name: "CFG_size", value: "10" },
      { name: "LINE", value: "$(CFG_color)-$(LATER)" },
      { name: "LATER", value: "x" },
      { name: "KEY", valueFrom: { secretKeyRef: { name: "token", key: "key" } } },
      { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "APP", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
      { name: "NOTHING", valueFrom: { configMapKeyRef: { name: "settings", key: "absent", optional: true } } },
    ],
  });
  const expected = { CFG_color: "blue", CFG_size: "10", LINE: "blue-$(LATER)", LATER: "x", KEY: "s3cret", IP: "10.244.0.5", APP: "web" };
  assert.deepEqual(Object.fromEntries(env), expected);
});

test("resources are divided and rounded up, a missing limit is the node's", async () => {
  const ref = (resource: string, divisor: string) => ({ valueFrom: { resourceFieldRef: { resource, divisor } } });
  const env = await envOf({
    resources: { requests: { cpu: "1500m" }, limits: { memory: "100Mi" } },
    env: [
      { name: "CPU", ...ref("requests.cpu", "1") },
      { name: "MILLI", ...ref("requests.cpu", "1m") },
      { name: "MEMORY", ...ref("limits.memory", "1Mi") },
      { name: "NODE", ...ref("limits.cpu", "1") },
    ],
  });
  assert.deepEqual(Object.fromEntries(env), { CPU: "2", MILLI: "1500", MEMORY: "100", NODE: "4" });
});

test("missing sources are told in upstream's words", async () => {
  const missing = (valueFrom: NonNullable<NonNullable<Container["env"]>[number]["valueFrom"]>) =>
    envOf({ env: [{ name: "X", valueFrom }] });
  await assert.rejects(missing({ configMapKeyRef: { name: "absent", key: "k" } }), { message: 'configmap "absent" not found' });
  await assert.rejects(missing({ secretKeyRef: { name: "absent", key: "k" } }), { message: 'secret "absent" not found' });
  await assert.rejects(missing({ configMapKeyRef: { name: "settings", key: "k" } }), {
    message: "couldn't find key k in ConfigMap shop/settings",
  });
});

test("services become variables; without service links only the API's own", () => {
  const services = [
    service("shop", "web-front", [{ name: "http-web", port: 80 }]),
    service("default", "kubernetes", [{ name: "https", port: 443 }]),
  ];
  assert.deepEqual(Object.fromEntries(serviceEnv(services, { namespace: "shop", hasServiceLinks: true })), {
    WEB_FRONT_SERVICE_HOST: "10.96.0.7",
    WEB_FRONT_SERVICE_PORT: "80",
    WEB_FRONT_SERVICE_PORT_HTTP_WEB: "80",
    WEB_FRONT_PORT: "tcp://10.96.0.7:80",
    WEB_FRONT_PORT_80_TCP: "tcp://10.96.0.7:80",
    WEB_FRONT_PORT_80_TCP_PROTO: "tcp",
    WEB_FRONT_PORT_80_TCP_PORT: "80",
    WEB_FRONT_PORT_80_TCP_ADDR: "10.96.0.7",
    KUBERNETES_SERVICE_HOST: "10.96.0.7",
    KUBERNETES_SERVICE_PORT: "443",
    KUBERNETES_SERVICE_PORT_HTTPS: "443",
    KUBERNETES_PORT: "tcp://10.96.0.7:443",
    KUBERNETES_PORT_443_TCP: "tcp://10.96.0.7:443",
    KUBERNETES_PORT_443_TCP_PROTO: "tcp",
    KUBERNETES_PORT_443_TCP_PORT: "443",
    KUBERNETES_PORT_443_TCP_ADDR: "10.96.0.7",
  });
  const few = serviceEnv(services, { namespace: "shop", hasServiceLinks: false });
  assert.deepEqual(
    [...few.keys()].filter((name) => name.startsWith("WEB")),
    [],
  );
  assert.equal(few.get("KUBERNETES_SERVICE_HOST"), "10.96.0.7");
});
