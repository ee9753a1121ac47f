// Services and DNS as pods see them, and how bad input is answered: one cluster for both.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { after, before, describe, it } from "node:test";
import type { Pod } from "../../../src/api/types/core/v1.ts";
import { Cluster, eventually, run } from "../cluster.fixture.ts";

interface List<T> {
  readonly items: readonly T[];
}

describe("services, names and bad input", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.shared("network");
    await cluster.kubectl("create", "deployment", "web", "--image=kubia", "--replicas=3");
    await cluster.kubectl("run", "client", "--image=kubia");
    await cluster.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s");
  });
  after(() => cluster[Symbol.asyncDispose]());

  const client = (script: string) => cluster.kubectl("exec", "client", "--", "sh", "-c", script);
  const tryClient = (script: string) => cluster.tryKubectl(["exec", "client", "--", "sh", "-c", script]);
  const pods = async () => (await cluster.get<List<Pod>>("pods", "-l", "app=web")).items;
  const service = (name: string, spec: object) => cluster.apply({ apiVersion: "v1", kind: "Service", metadata: { name }, spec });
  const ports = [{ name: "http", port: 80, targetPort: 8080 }];

  it("keep a client with its pod when asked to", async () => {
    await service("sticky", { selector: { app: "web" }, ports, sessionAffinity: "ClientIP" });
    await eventually("it answers", async () => (await tryClient("wget -qO- http://sticky")).code === 0);
    const answers = (await client("for i in $(seq 15); do wget -qO- http://sticky; done")).trim().split("\n");
    assert.equal(new Set(answers).size, 1);
  });

  it("lead a pod to itself", async () => {
    await cluster.kubectl("expose", "pod", "client", "--name=self", "--port=80", "--target-port=8080");
    await eventually("it reaches itself", async () => (await tryClient("wget -qO- http://self")).stdout === "You've hit client\n");
  });

  it("refuse at once when nobody stands behind them", async () => {
    await service("nobody", { selector: { app: "nobody" }, ports });
    await eventually("it is refused", async () => /refused/.test((await tryClient("wget -qO- http://nobody")).stderr), 10_000);
  });

  it("are found by name: headless, ports, reverse, aliases", async () => {
    const zone = `${cluster.namespace}.svc.cluster.local`;
    await service("headless", { selector: { app: "web" }, ports, clusterIP: "None" });
    const ips = (await pods()).map((pod) => pod.status?.podIP ?? "").sort();
    const lookup = async (...args: string[]) => (await tryClient(`nslookup ${args.join(" ")}`)).stdout;
    const addresses = (text: string) => [...text.matchAll(/^Address: (\S+)$/gm)].map((match) => match[1]).sort();
    await eventually("all pods are in DNS", async () => addresses(await lookup(`headless.${zone}`)).join() === ips.join());
    const resolveSrv = `require("dns").promises.resolveSrv("_http._tcp.headless.${zone}").then(r => console.log(JSON.stringify(r)))`;
    const records = JSON.parse(await cluster.kubectl("exec", "client", "--", "node", "-e", resolveSrv)) as { name: string; port: number }[];
    assert.deepEqual(
      records.map(({ name, port }) => `${name}:${port}`).sort(),
      ips.map((address) => `${address.replaceAll(".", "-")}.headless.${zone}:8080`),
    );
    const ip = (await cluster.kubectl("get", "service", "sticky", "-o", "jsonpath={.spec.clusterIP}")).trim();
    assert.match(await lookup(ip), new RegExp(`name = sticky\\.${zone}`));
    await service("alias", { type: "ExternalName", externalName: `sticky.${zone}` });
    await eventually("the alias leads there", async () => addresses(await lookup(`alias.${zone}`)).join() === ip);
  });

  /** A raw request with the administrator's certificate, or without. */
  const send = (
    path: string,
    options: { method?: string; body?: string; type?: string; headers?: Record<string, string>; anonymous?: boolean } = {},
  ) =>
    new Promise<{ code: number; reason: string; message: string }>((resolve, reject) => {
      const config = readFileSync(cluster.kubeconfig, "utf8");
      const pem = (name: string) => Buffer.from(new RegExp(`${name}: "?([A-Za-z0-9+/=]+)`).exec(config)?.[1] ?? "", "base64");
      const identity = options.anonymous === true ? {} : { cert: pem("client-certificate-data"), key: pem("client-key-data") };
      const { method = "GET", body, type = "application/json", headers = {} } = options;
      const url = new URL(path, cluster.server);
      const call = request(
        url,
        {
          method,
          ca: pem("certificate-authority-data"),
          ...identity,
          headers: { ...(body === undefined ? {} : { "Content-Type": type }), ...headers },
        },
        (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => {
            text += chunk;
          });
          response.on("end", () => {
            const status = JSON.parse(text) as { reason?: string; message?: string };
            resolve({ code: response.statusCode ?? 0, reason: status.reason ?? "", message: status.message ?? "" });
          });
        },
      );
      call.on("error", reject);
      call.end(body);
    });
  const configMaps = () => `/api/v1/namespaces/${cluster.namespace}/configmaps`;
  const post = (body: string, type?: string) => send(configMaps(), { method: "POST", body, ...(type === undefined ? {} : { type }) });
  const outcome = ({ code, reason }: { code: number; reason: string }) => `${code} ${reason}`;

  it("answer what cannot be read with 400, 413 and 415", async () => {
    assert.equal(outcome(await post("{")), "400 BadRequest");
    assert.equal(outcome(await post("a: [", "application/yaml")), "400 BadRequest");
    assert.equal(outcome(await post('{"data":{"a":1},"metadata":{"name":"x"}}')), "400 BadRequest");
    assert.equal(
      outcome(await post(JSON.stringify({ metadata: { name: "x" }, data: { a: "x".repeat(3_200_000) } }))),
      "413 RequestEntityTooLarge",
    );
    assert.equal(outcome(await post("x", "text/plain")), "415 UnsupportedMediaType");
  });

  it("answer what is not allowed with 401, 403 and 409, and what is wrong with 422", async () => {
    assert.equal(outcome(await send(configMaps(), { anonymous: true, headers: { Authorization: "Bearer wrong" } })), "401 Unauthorized");
    assert.equal(outcome(await send(configMaps(), { headers: { "Impersonate-User": "stranger" } })), "403 Forbidden");
    const bad = await post('{"metadata":{"name":"Not_A_Name"}}');
    assert.equal(outcome(bad), "422 Invalid");
    assert.match(
      bad.message,
      /^ConfigMap "Not_A_Name" is invalid: metadata\.name: Invalid value: "Not_A_Name": a lowercase RFC 1123 subdomain must consist of/,
    );
    assert.equal(outcome(await post('{"metadata":{"name":"stale"}}')), "201 ");
    const stale = { method: "PUT", body: '{"metadata":{"name":"stale","resourceVersion":"1"}}' };
    assert.equal(outcome(await send(`${configMaps()}/stale`, stale)), "409 Conflict");
    assert.equal(outcome(await post('{"metadata":{"name":"stale"}}')), "409 AlreadyExists");
  });

  it("refuse unknown fields when asked to be strict", async () => {
    const manifest = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "strict" }, dataa: {} });
    const { code, stderr } = await cluster.tryKubectl(["create", "--validate=strict", "-f", "-"], manifest);
    assert.equal(code, 1);
    assert.match(stderr, /unknown field "dataa"/);
    assert.equal((await cluster.tryKubectl(["get", "configmap", "strict"])).code, 1);
  });

  it("say what to do when a cluster cannot be brought up", async () => {
    const other = ["--data-dir", `${cluster.dataDirectory}-2`, "--run-dir", `${cluster.runDirectory}-2`];
    const taken = await run("./k8ts", ["up", ...other, "--port", "16443"]);
    assert.equal(taken.code, 1);
    assert.match(taken.stdout + taken.stderr, /port 16443 is taken; end what listens there or choose another with --port/);
    const nobody = await run("setpriv", [
      "--reuid=65534",
      "--regid=65534",
      "--clear-groups",
      "./k8ts",
      "up",
      "--data-dir",
      "/tmp/k8ts-nobody",
      "--run-dir",
      "/tmp/k8ts-nobody-run",
    ]);
    assert.notEqual(nobody.code, 0);
    assert.match(nobody.stdout + nobody.stderr, /root/);
  });
});
