import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRegistries, renderDockerConfig, renderHosts } from "./registries.ts";

const registries = parseRegistries({
  mirrors: { "docker.io": { endpoint: ["http://mirror.example:5000", "https://second.example"] } },
  configs: {
    "mirror.example:5000": { auth: { username: "robot", password: "secret" } },
    "reg.example.com": { auth: { auth: "dXNlcjpwdw==" }, tls: { ca_file: "/etc/ca.pem", insecure_skip_verify: true } },
  },
});

test("mirrors are asked in their order before the registry, each with its own credentials", () => {
  const hosts = renderHosts(registries);
  assert.deepEqual([...hosts.keys()], ["docker.io", "reg.example.com"]);
  assert.equal(
    hosts.get("docker.io"),
    `server = "https://registry-1.docker.io"

[host."http://mirror.example:5000"]
  capabilities = ["pull", "resolve"]
  [host."http://mirror.example:5000".header]
    Authorization = "Basic cm9ib3Q6c2VjcmV0"

[host."https://second.example"]
  capabilities = ["pull", "resolve"]

[host."https://registry-1.docker.io"]
  capabilities = ["pull", "resolve"]
`,
  );
});

test("a registry's own credentials stand in the docker configuration, and how to trust it in its hosts file", () => {
  const text = renderHosts(registries).get("reg.example.com") ?? "";
  assert.match(text, /ca = "\/etc\/ca.pem"\n {2}skip_verify = true/);
  assert.doesNotMatch(text, /Authorization/);
  assert.equal(JSON.parse(renderDockerConfig(registries)).auths["reg.example.com"].auth, "dXNlcjpwdw==");
});

test("what cannot be meant is refused with its place", () => {
  assert.throws(() => parseRegistries({ mirror: {} }), /unknown field mirror;/);
  assert.throws(() => parseRegistries({ configs: { a: { tls: { ca: "x" } } } }), /unknown field configs\.a\.tls\.ca;/);
  assert.throws(() => parseRegistries({ mirrors: { a: { endpoint: ["mirror.example"] } } }), /must be URLs/);
});
