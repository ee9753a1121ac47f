import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PodSpec } from "../../../api/types/core/v1.ts";
import { CoreFixture } from "../../registry/testing/core-fixture.ts";
import { evaluatePod, formatViolations } from "./evaluate.ts";
import type { Level } from "./levels.ts";

const PREFIX = "pod-security.kubernetes.io/";
const safe = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};

function findings(level: Level, spec: object, version: number | "latest" = "latest"): string {
  const whole = { containers: [{ name: "c", image: "i" }], ...spec } as unknown as PodSpec;
  return formatViolations(evaluatePod({ level, version }, { spec: whole }));
}

async function withNamespace(labels: Record<string, string>): Promise<CoreFixture> {
  const server = await CoreFixture.start();
  const prefixed = Object.fromEntries(Object.entries(labels).map(([key, value]) => [PREFIX + key, value]));
  await server.create("namespaces", { metadata: { name: "ns", labels: prefixed } });
  await server.create("serviceaccounts", { metadata: { name: "default" } }, { namespace: "ns" });
  return server;
}

const pod = (name: string, spec: object = {}) => ({ metadata: { name }, spec: { containers: [{ name: "c", image: "i" }], ...spec } });

describe("the level baseline", () => {
  /** What is forbidden, and what is said of it. */
  const cases: readonly (readonly [object, string])[] = [
    [{ hostNetwork: true, hostPID: true }, "host namespaces (hostNetwork=true, hostPID=true)"],
    [{ volumes: [{ name: "v", hostPath: { path: "/" } }] }, 'hostPath volumes (volume "v")'],
    [{ containers: [{ name: "a", ports: [{ containerPort: 80, hostPort: 8080 }] }] }, 'hostPort (container "a" uses hostPort 8080)'],
    [
      {
        containers: [
          { name: "a", securityContext: { privileged: true } },
          { name: "b", securityContext: { privileged: true } },
        ],
      },
      'privileged (containers "a", "b" must not set securityContext.privileged=true)',
    ],
    [
      { initContainers: [{ name: "a", securityContext: { capabilities: { add: ["NET_RAW", "CHOWN"] } } }] },
      'non-default capabilities (container "a" must not include "NET_RAW" in securityContext.capabilities.add)',
    ],
    [
      { securityContext: { seccompProfile: { type: "Unconfined" } } },
      'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      { containers: [{ name: "a", livenessProbe: { httpGet: { port: 80, host: "10.0.0.1" } } }] },
      'probe or lifecycle host (container "a" uses probe or lifecycle host "10.0.0.1")',
    ],
    [{ securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } }, "forbidden sysctls (kernel.msgmax)"],
    [
      { securityContext: { seLinuxOptions: { type: "spc_t", user: "u" } } },
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)',
    ],
    [
      { containers: [{ name: "a", securityContext: { procMount: "Unmasked" } }] },
      'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      { securityContext: { windowsOptions: { hostProcess: true } } },
      "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
    ],
    [
      { securityContext: { appArmorProfile: { type: "Unconfined" } } },
      'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")',
    ],
  ];
  for (const [spec, expected] of cases) it(`forbids ${expected}`, () => assert.equal(findings("baseline", spec), expected));

  it("lets ordinary pods pass", () => assert.equal(findings("baseline", {}), ""));

  it("has the rules of the version that was asked for", () => {
    const spec = { securityContext: { sysctls: [{ name: "net.ipv4.tcp_rmem", value: "1" }] } };
    assert.equal(findings("baseline", spec), "");
    assert.equal(findings("baseline", spec, 31), "forbidden sysctls (net.ipv4.tcp_rmem)");
  });
});

describe("the level restricted", () => {
  it("says all that an ordinary pod lacks", () => {
    assert.equal(
      findings("restricted", {}),
      [
        'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)',
        'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"])',
        'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)',
        'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
      ].join(", "),
    );
  });

  it("is satisfied by a pod that gives everything up", () => {
    const containers = [{ name: "c", image: "i", securityContext: safe }];
    assert.equal(findings("restricted", { containers }), "");
    const volumes = [{ name: "v", hostPath: { path: "/" } }];
    const expected = 'restricted volume types (volume "v" uses restricted volume type "hostPath")';
    assert.equal(findings("restricted", { containers, volumes }), expected);
    assert.equal(findings("restricted", { containers, securityContext: { runAsUser: 0 } }), "runAsUser=0 (pod must not set runAsUser=0)");
  });
});

describe("PodSecurity", () => {
  it("refuses pods beyond the enforced level", async () => {
    await using server = await withNamespace({ enforce: "baseline" });
    await server.create("pods", pod("fine"), { namespace: "ns" });
    await assert.rejects(server.create("pods", pod("bad", { hostPID: true }), { namespace: "ns" }), {
      message: 'pods "bad" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true)',
    });
  });

  it("warns about workloads whose pods would be refused, and lets them pass", async () => {
    await using server = await withNamespace({ enforce: "baseline", "enforce-version": "v1.30" });
    const template = { metadata: { labels: { a: "b" } }, spec: { hostPID: true, containers: [{ name: "c", image: "i" }] } };
    const spec = { selector: { matchLabels: { a: "b" } }, template };
    await server.create("apps/v1/deployments", { metadata: { name: "d" }, spec }, { namespace: "ns" });
    assert.deepEqual(server.warnings, ['would violate PodSecurity "baseline:v1.30": host namespaces (hostPID=true)']);
  });

  it("warns of pods that a stricter level would not let in", async () => {
    await using server = await withNamespace({});
    for (const name of ["b", "a"]) await server.create("pods", pod(name, { hostPID: true }), { namespace: "ns" });
    await server.clock.advance(0);
    await server.update("namespaces", { metadata: { name: "ns", labels: { [`${PREFIX}enforce`]: "baseline" } } } as never);
    assert.deepEqual(server.warnings, [
      'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
      "a (and 1 other pod): host namespaces",
    ]);
  });

  it("refuses levels and versions that it does not know", async () => {
    await using server = await CoreFixture.start();
    const create = (labels: object) => server.create("namespaces", { metadata: { name: "ns", labels } });
    await assert.rejects(create({ [`${PREFIX}enforce`]: "tight" }), {
      message: `Namespace "ns" is invalid: metadata.labels[${PREFIX}enforce]: Invalid value: "tight": must be one of privileged, baseline, restricted`,
    });
    await assert.rejects(create({ [`${PREFIX}warn-version`]: "1.30" }), /must be "latest" or "v1.x"/);
  });
});
