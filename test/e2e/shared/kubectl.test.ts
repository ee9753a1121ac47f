// Every verb of kubectl against a real cluster, as far as other files do not use it in passing.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import type { Node, Pod } from "../../../src/api/types/core/v1.ts";
import { pkcs10 } from "../../integration/pkcs10.fixture.ts";
import { Cluster, eventually, type Result } from "../cluster.fixture.ts";

describe("kubectl's verbs", () => {
  let cluster: Cluster;
  const directory = mkdtempSync(join(tmpdir(), "k8ts-kubectl-"));
  before(async () => {
    cluster = await Cluster.shared("kubectl");
    await kubectl("run", "web", "--image=kubia", "--labels=app=web", "--port=8080", "--env=GREETING=hello");
    await kubectl("expose", "pod", "web", "--port=80", "--target-port=8080");
    await kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s");
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const kubectl = (...args: string[]) => cluster.kubectl(...args);
  const file = (name: string, content: object | string) => {
    const path = join(directory, name);
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  };
  const refusal = async (...args: string[]): Promise<Result> => {
    const result = await cluster.tryKubectl(args);
    assert.notEqual(result.code, 0, `kubectl ${args.join(" ")} went well`);
    return result;
  };

  it("get prints in every form", async () => {
    const forms: readonly (readonly [readonly string[], RegExp])[] = [
      [["-o", "json"], /"kind": "Pod"/],
      [["-o", "yaml"], /^apiVersion: v1\nkind: Pod/],
      [["-o", "name"], /^pod\/web\n$/],
      [["-o", "wide"], /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\nweb +1\/1 +Running/],
      [["-o", "jsonpath={.spec.containers[*].image}"], /^kubia$/],
      [["-o", "jsonpath-as-json={.metadata.name}"], /^\[\s+"web"\s+\]/],
      [["-o", `jsonpath-file=${file("path", "{.metadata.name}")}`], /^web$/],
      [["-o", "go-template={{.metadata.name}}"], /^web$/],
      [["-o", `go-template-file=${file("template", "{{.kind}}")}`], /^Pod$/],
      [["-o", "custom-columns=N:.metadata.name,P:.status.phase"], /^N +P\nweb +Running\n$/],
      [["-o", `custom-columns-file=${file("columns", "N\n.metadata.name\n")}`], /^N\nweb\n$/],
      [["-o", "json", "--show-managed-fields"], /"managedFields"/],
      [["--show-labels"], /LABELS\nweb .* app=web\n$/],
      [["-L", "app"], /APP\nweb .* web\n$/],
      [["--server-print=false"], /^NAME +AGE\nweb +\d+s\n$/],
      [["--no-headers"], /^web +1\/1/],
    ];
    for (const [args, expected] of forms) assert.match(await kubectl("get", "pod", "web", ...args), expected, args.join(" "));
    const all = ["get", "pods", "--field-selector=status.phase=Running", "--sort-by=.metadata.name", "--chunk-size=1", "-o", "name"];
    assert.equal(await kubectl(...all), "pod/web\n");
    assert.match(await kubectl("get", "--raw", "/healthz"), /^ok/);
    assert.match((await refusal("get", "pod", "nowhere")).stderr, /Error from server \(NotFound\): pods "nowhere" not found/);
    assert.match((await refusal("get", "nothings")).stderr, /the server doesn't have a resource type "nothings"/);
  });

  it("get follows changes", async () => {
    const watching = cluster.startKubectl("get", "configmaps", "--watch", "--output-watch-events", "--no-headers", "-l", "watched=yes");
    let seen = "";
    watching.stdout?.on("data", (chunk: Buffer) => {
      seen += chunk;
    });
    await kubectl("create", "configmap", "watched");
    await kubectl("label", "configmap", "watched", "watched=yes");
    await eventually("its appearance is seen", async () => /ADDED +watched/.test(seen));
    await kubectl("annotate", "configmap", "watched", "a=b");
    await kubectl("label", "configmap", "watched", "watched-");
    await eventually("it leaves", async () => /ADDED +watched .*\nMODIFIED +watched .*\nDELETED +watched/.test(seen));
    watching.kill();
    await once(watching, "close");
  });

  it("create makes every kind that it knows", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    file("key.pem", privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    const commands: readonly (readonly [string, string])[] = [
      ["clusterrole reader --verb=get,list --resource=pods,deployments.apps", "clusterrole.rbac.authorization.k8s.io/reader"],
      ["clusterrole metrics --verb=get --non-resource-url=/metrics", "clusterrole.rbac.authorization.k8s.io/metrics"],
      ["clusterrolebinding reader --clusterrole=reader --user=ann", "clusterrolebinding.rbac.authorization.k8s.io/reader"],
      [`configmap made --from-literal=a=1 --from-file=${file("data.txt", "text")}`, "configmap/made"],
      ["cronjob made --image=busybox --schedule=0,3 -- true", "cronjob.batch/made"],
      ["deployment made --image=busybox --replicas=0 --port=80", "deployment.apps/made"],
      ["ingress made --class=none --rule=example.com/*=web:80", "ingress.networking.k8s.io/made"],
      ["job made --image=busybox -- true", "job.batch/made"],
      ["namespace made", "namespace/made"],
      ["poddisruptionbudget made --selector=app=made --min-available=1", "poddisruptionbudget.policy/made"],
      ["priorityclass made --value=5 --description=made", "priorityclass.scheduling.k8s.io/made"],
      ["quota made --hard=secrets=50", "resourcequota/made"],
      ["role made --verb=get --resource=pods --resource-name=web", "role.rbac.authorization.k8s.io/made"],
      ["rolebinding made --role=made --serviceaccount=kubectl:made", "rolebinding.rbac.authorization.k8s.io/made"],
      ["secret generic made --from-literal=a=1", "secret/made"],
      ["secret docker-registry registry --docker-username=u --docker-password=p", "secret/registry"],
      ["service clusterip made --tcp=80:8080", "service/made"],
      ["service externalname elsewhere --external-name=example.com", "service/elsewhere"],
      ["service loadbalancer balanced --tcp=81:8080", "service/balanced"],
      ["service nodeport opened --tcp=80:8080", "service/opened"],
      ["serviceaccount made", "serviceaccount/made"],
    ];
    for (const [command, name] of commands) {
      const words = command.split(" ").map((word) => (word === "--schedule=0,3" ? "--schedule=0 3 * * *" : word));
      assert.equal(await kubectl("create", ...words), `${name} created\n`);
      assert.equal(await kubectl("get", ...name.split("/"), "-o", "name"), `${name}\n`);
    }
    const token = await kubectl("create", "token", "made", "--duration=1h", "--audience=https://kubernetes.default.svc");
    assert.match(token, /^\S+\.\S+\.\S+$/);
    const dry = await kubectl("create", "deployment", "dry", "--image=busybox", "--dry-run=server", "-o", "jsonpath={.spec.replicas}");
    assert.equal(dry, "1");
    assert.equal((await refusal("get", "deployment", "dry")).code, 1);
    const again = await refusal("create", "namespace", "made");
    assert.match(again.stderr, /Error from server \(AlreadyExists\): namespaces "made" already exists/);
    await kubectl("delete", "namespace", "made");
  });

  it("apply changes what a manifest says, in the client and in the server, and prunes", async () => {
    const map = (name: string, value: string) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, labels: { set: "pruned" } },
      data: { value },
    });
    const both = (...items: object[]) => file("both.json", { apiVersion: "v1", kind: "List", items });
    const prune = ["--prune", "-l", "set=pruned", "--prune-allowlist=core/v1/ConfigMap"];
    assert.equal(await kubectl("apply", "-f", both(map("one", "1"), map("two", "2"))), "configmap/one created\nconfigmap/two created\n");
    assert.match(await kubectl("apply", ...prune, "-f", both(map("one", "3"))), /configmap\/one configured\nconfigmap\/two pruned\n/);
    assert.match(await kubectl("apply", "view-last-applied", "configmap/one"), /value: "3"/);
    await kubectl("apply", "set-last-applied", "-f", file("one.json", map("one", "4")));
    assert.match(await kubectl("apply", "view-last-applied", "configmap/one"), /value: "4"/);
    const server = (value: string, ...more: string[]) => ["apply", "--server-side", "-f", file("two.json", map("two", value)), ...more];
    assert.equal(await kubectl(...server("1", "--field-manager=first")), "configmap/two serverside-applied\n");
    const conflict = await refusal(...server("2", "--field-manager=second"));
    assert.match(conflict.stderr, /Apply failed with 1 conflict: conflict with "first": \.data\.value/);
    await kubectl(...server("2", "--field-manager=second", "--force-conflicts"));
    assert.equal(await kubectl("get", "configmap", "two", "-o", "jsonpath={.data.value}"), "2");
    assert.equal(
      await kubectl("apply", "--dry-run=server", "-f", file("dry.json", map("one", "5"))),
      "configmap/one configured (server dry run)\n",
    );
    const applied = ["apply", "-n", cluster.namespace, "--applyset=configmap/set", "--prune", "-f"];
    for (const names of [["in-1", "in-2"], ["in-1"]]) {
      const { code, stderr } = await cluster.tryKubectl([...applied, both(...names.map((name) => map(name, "1")))], "", {
        KUBECTL_APPLYSET: "true",
      });
      assert.equal(code, 0, stderr);
    }
    assert.equal(await kubectl("get", "configmap", "in-1", "in-2", "--ignore-not-found", "-o", "name"), "configmap/in-1\n");
  });

  it("diff shows what apply would change, edit and replace change it", async () => {
    const map = (value: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "edited" }, data: { value } });
    await kubectl("apply", "-f", file("edited.json", map("1")));
    for (const mode of [[], ["--server-side", "--force-conflicts"]]) {
      const { code, stdout } = await refusal("diff", ...mode, "-f", file("diff.json", map("2")));
      assert.equal(code, 1);
      assert.match(stdout, /\n- {2}value: "1"\n\+ {2}value: "2"\n/);
    }
    const edit = { KUBE_EDITOR: "sed -i s/value:.*/value:\\ edited/" };
    assert.match((await cluster.tryKubectl(["edit", "configmap", "edited"], "", edit)).stdout, /configmap\/edited edited/);
    assert.equal(await kubectl("get", "configmap", "edited", "-o", "jsonpath={.data.value}"), "edited");
    assert.equal(await kubectl("replace", "-f", file("replaced.json", map("3"))), "configmap/edited replaced\n");
    const uid = () => kubectl("get", "configmap", "edited", "-o", "jsonpath={.metadata.uid}");
    const before_ = await uid();
    assert.match(await kubectl("replace", "--force", "-f", file("replaced.json", map("4"))), /deleted.*replaced\n$/s);
    assert.notEqual(await uid(), before_);
  });

  it("patch, label, annotate and set change parts", async () => {
    await kubectl("create", "deployment", "parts", "--image=busybox", "--replicas=0");
    const field = (path: string) => kubectl("get", "deployment", "parts", "-o", `jsonpath={${path}}`);
    await kubectl("patch", "deployment", "parts", "-p", '{"spec":{"template":{"spec":{"containers":[{"name":"busybox","tty":true}]}}}}');
    assert.equal(await field(".spec.template.spec.containers[0]['image','tty']"), "busybox true");
    await kubectl("patch", "deployment", "parts", "--type=merge", "-p", '{"spec":{"paused":true}}');
    await kubectl("patch", "deployment", "parts", "--type=json", "-p", '[{"op":"remove","path":"/spec/paused"}]');
    assert.equal(await field(".spec.paused"), "");
    await kubectl("patch", "deployment", "parts", "--subresource=scale", "--type=merge", "-p", '{"spec":{"replicas":0}}');
    await kubectl("label", "deployment", "parts", "a=1", "b=2");
    assert.match((await refusal("label", "deployment", "parts", "a=3")).stderr, /'a' already has a value \(1\), and --overwrite is false/);
    await kubectl("label", "deployment", "parts", "--overwrite", "a=3", "b-");
    assert.equal(await field(".metadata.labels.a"), "3");
    await kubectl("annotate", "deployment", "--all", "note=all");
    assert.equal(await field(".metadata.annotations.note"), "all");
    await kubectl("create", "serviceaccount", "parts");
    await kubectl("set", "env", "deployment/parts", "A=b");
    await kubectl("set", "resources", "deployment/parts", "--limits=cpu=200m,memory=64Mi");
    await kubectl("set", "serviceaccount", "deployment/parts", "parts");
    await kubectl("create", "rolebinding", "parts", "--clusterrole=view", "--user=ann");
    await kubectl("set", "subject", "rolebinding", "parts", "--user=ben");
    await kubectl("set", "selector", "service", "web", "app=web");
    const spec = ".spec.template.spec";
    assert.equal(await field(`${spec}.containers[0].env[0].value`), "b");
    assert.equal(await field(`${spec}.containers[0].resources.limits.cpu`), "200m");
    assert.equal(await field(`${spec}.serviceAccountName`), "parts");
    assert.equal(await kubectl("get", "rolebinding", "parts", "-o", "jsonpath={.subjects[*].name}"), "ann ben");
    await kubectl("delete", "deployment,serviceaccount,rolebinding", "parts");
  });

  it("rollout pauses, resumes, restarts and goes back; scale and autoscale set sizes", async () => {
    await kubectl("create", "deployment", "rolled", "--image=busybox", "--replicas=1", "--", "sleep", "1000");
    const status = () => kubectl("rollout", "status", "deployment/rolled", "--timeout=60s");
    const revision = () =>
      kubectl("get", "deployment", "rolled", "-o", "jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}");
    assert.match(await status(), /successfully rolled out/);
    await kubectl("rollout", "pause", "deployment/rolled");
    await kubectl("set", "image", "deployment/rolled", "busybox=kubia");
    assert.match((await refusal("rollout", "restart", "deployment/rolled")).stderr, /can't restart paused deployment/);
    assert.equal(await revision(), "1");
    await kubectl("rollout", "resume", "deployment/rolled");
    await eventually("the change is rolled out", async () => (await revision()) === "2");
    await kubectl("rollout", "restart", "deployment/rolled");
    await eventually("all pods are new", async () => (await revision()) === "3");
    assert.match(await kubectl("rollout", "history", "deployment/rolled", "--revision=2"), /Image:\s+kubia/);
    await kubectl("rollout", "undo", "deployment/rolled", "--to-revision=1");
    assert.match(await status(), /successfully rolled out/);
    assert.equal(await kubectl("get", "deployment", "rolled", "-o", "jsonpath={.spec.template.spec.containers[0].image}"), "busybox");
    const wrong = await refusal("scale", "deployment/rolled", "--current-replicas=5", "--replicas=2");
    assert.match(wrong.stderr, /Expected replicas to be 5, was 1/);
    await kubectl("scale", "deployment/rolled", "--current-replicas=1", "--replicas=0");
    await kubectl("autoscale", "deployment", "rolled", "--min=1", "--max=3", "--cpu=80%");
    assert.match(await kubectl("get", "hpa", "rolled"), /rolled +Deployment\/rolled +cpu: <unknown>\/80% +1 +3/);
    await kubectl("delete", "deployment,hpa", "rolled");
  });

  it("delete takes dependents along, before, or leaves them", async () => {
    const sets = async (name: string) => kubectl("get", "replicasets", "-l", `app=${name}`, "-o", "name");
    for (const cascade of ["background", "foreground", "orphan"]) {
      await kubectl("create", "deployment", cascade, "--image=busybox", "--replicas=0");
      await eventually("its set is there", async () => (await sets(cascade)) !== "");
      await kubectl("delete", "deployment", cascade, `--cascade=${cascade}`);
      if (cascade !== "orphan") await eventually("its set is gone", async () => (await sets(cascade)) === "");
    }
    assert.match(await sets("orphan"), /^replicaset\.apps\/orphan-/);
    await kubectl("delete", "replicasets", "-l", "app=orphan");
    await kubectl("run", "stubborn", "--image=busybox", "--", "sleep", "1000");
    await kubectl("wait", "--for=condition=Ready", "pod/stubborn", "--timeout=60s");
    await kubectl("delete", "pod", "stubborn", "--force", "--grace-period=0");
    await kubectl("wait", "--for=delete", "pod/stubborn", "--timeout=60s");
    await kubectl("create", "configmap", "selected");
    await kubectl("delete", "configmap", "--field-selector=metadata.name=selected");
    assert.equal(await kubectl("delete", "configmap", "selected", "--ignore-not-found"), "");
  });

  it("wait waits for conditions, fields, creation and deletion", async () => {
    const created = kubectl("wait", "--for=create", "configmap/awaited", "--timeout=20s");
    await kubectl("create", "configmap", "awaited", "--from-literal=state=new");
    await created;
    const changed = kubectl("wait", "--for=jsonpath={.data.state}=done", "configmap/awaited", "--timeout=20s");
    await kubectl("patch", "configmap", "awaited", "-p", '{"data":{"state":"done"}}');
    assert.equal(await changed, "configmap/awaited condition met\n");
    const deleted = kubectl("wait", "--for=delete", "configmap/awaited", "--timeout=20s");
    await kubectl("delete", "configmap", "awaited");
    await deleted;
    assert.match(
      (await refusal("wait", "--for=condition=Unheard", "pod/web", "--timeout=1s")).stderr,
      /timed out waiting for the condition/,
    );
  });

  it("auth tells and reconciles rights", async () => {
    assert.equal(await kubectl("auth", "can-i", "create", "pods"), "yes\n");
    assert.equal((await refusal("auth", "can-i", "create", "pods", "--as=stranger")).stdout, "no\n");
    assert.match(await kubectl("auth", "can-i", "--list", "--as=stranger"), /selfsubjectaccessreviews\.authorization\.k8s\.io/);
    assert.match(await kubectl("auth", "whoami"), /Username +kubernetes-admin\nGroups +\[.*system:authenticated/);
    const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }];
    const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "reconciled" }, rules };
    assert.equal(
      await kubectl("auth", "reconcile", "-f", file("role.json", role)),
      "clusterrole.rbac.authorization.k8s.io/reconciled reconciled\n",
    );
    await kubectl("delete", "clusterrole", "reconciled");
  });

  it("certificate approves and denies", async () => {
    const signing = async (name: string) => {
      const spec = {
        request: await pkcs10("CN=ann"),
        signerName: "kubernetes.io/kube-apiserver-client",
        usages: ["client auth"],
        expirationSeconds: 3600,
      };
      await cluster.apply({ apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest", metadata: { name }, spec });
    };
    await signing("wanted");
    await signing("unwanted");
    await kubectl("certificate", "approve", "wanted");
    await kubectl("certificate", "deny", "unwanted");
    await eventually("the certificate is there", async () => /Approved,Issued/.test(await kubectl("get", "csr", "wanted")));
    assert.match(await kubectl("get", "csr", "unwanted"), /Denied/);
    await kubectl("delete", "csr", "wanted", "unwanted");
  });

  it("tells of the cluster and what it serves", async () => {
    assert.match(await kubectl("api-resources", "--namespaced=false", "-o", "wide"), /nodes +no +v1 +false +Node +create,delete,/);
    assert.match(await kubectl("api-resources", "--verbs=list,get", "-o", "name"), /^deployments\.apps$/m);
    assert.match(await kubectl("api-versions"), /^v1$/m);
    assert.match(await kubectl("cluster-info"), /control plane.* is running at .*https:\/\/127\.0\.0\.1:16443/);
    await kubectl("cluster-info", "dump", `--namespaces=${cluster.namespace}`, `--output-directory=${join(directory, "dump")}`);
    assert.match(readFileSync(join(directory, `dump/${cluster.namespace}/web/logs.txt`), "utf8"), /Kubia server starting/);
    assert.match(await kubectl("version"), /Client Version: v.*\nKustomize Version: v.*\nServer Version: v1\.36/);
    assert.match(await kubectl("events", "--for=pod/web"), /Normal +Started +Pod\/web/);
    assert.match(await kubectl("events", "--types=Normal", "-o", "json"), /"kind": "EventList"/);
  });

  it("kustomize builds what apply -k applies", async () => {
    const kustomization = join(directory, "kustomization");
    mkdirSync(kustomization);
    const content = "namePrefix: my-\nconfigMapGenerator:\n- name: map\n  literals: [a=1]\n";
    writeFileSync(join(kustomization, "kustomization.yaml"), content);
    assert.match(await kubectl("kustomize", kustomization), /name: my-map-\w+/);
    assert.match(await kubectl("apply", "-k", kustomization), /configmap\/my-map-\w+ created/);
    await kubectl("delete", "-k", kustomization);
  });

  it("attach, exec and cp reach into a container, also by its workload", async () => {
    const labels = { app: "reached" };
    const command = ["sh", "-c", "while read line; do echo got $line; done; sleep 1000"];
    const spec = { terminationGracePeriodSeconds: 0, containers: [{ name: "c", image: "busybox", command, stdin: true }] };
    const template = { metadata: { labels }, spec };
    const metadata = { name: "reached" };
    await cluster.apply({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { selector: { matchLabels: labels }, template } });
    await kubectl("rollout", "status", "deployment/reached", "--timeout=60s");
    const attached = cluster.startKubectl("attach", "-i", "deployment/reached");
    let seen = "";
    attached.stdout?.on("data", (chunk: Buffer) => {
      seen += chunk;
    });
    attached.stdin?.write("this\n");
    await eventually("the container answers", async () => seen.includes("got this"));
    attached.kill();
    await once(attached, "close");
    assert.equal(await kubectl("exec", "deployment/reached", "--", "echo", "in"), "in\n");
    assert.match(await kubectl("logs", "deployment/reached", "--tail=1", "--timestamps"), /^\d{4}-\S+Z got this\n$/);
    mkdirSync(join(directory, "tree/below"), { recursive: true });
    writeFileSync(join(directory, "tree/below/file"), "content");
    await kubectl("cp", join(directory, "tree"), "web:/tmp/tree");
    await kubectl("cp", "web:/tmp/tree", join(directory, "back"));
    assert.equal(readFileSync(join(directory, "back/below/file"), "utf8"), "content");
    await kubectl("delete", "deployment", "reached");
  });

  it("port-forward leads to services, proxy serves on a port and on a socket", async () => {
    const forward = cluster.startKubectl("port-forward", "service/web", "18082:80");
    const answer = await eventually("the service answers", async () => (await fetch("http://127.0.0.1:18082")).text(), 20_000);
    assert.equal(answer, "You've hit web\n");
    const proxy = cluster.startKubectl("proxy", "--port=0");
    let said = "";
    proxy.stdout?.on("data", (chunk: Buffer) => {
      said += chunk;
    });
    const port = await eventually("the proxy listens", async () => /127\.0\.0\.1:(\d+)/.exec(said)?.[1]);
    assert.match(
      await (await fetch(`http://127.0.0.1:${port}/api/v1/namespaces/${cluster.namespace}/pods/web/proxy/`)).text(),
      /You've hit web/,
    );
    const socketPath = join(directory, "socket");
    const onSocket = cluster.startKubectl("proxy", `--unix-socket=${socketPath}`);
    const versions = await eventually("the socket answers", () => getBySocket(socketPath, "/api/"));
    assert.match(versions, /"APIVersions"/);
    for (const child of [forward, proxy, onSocket]) {
      child.kill();
      await once(child, "close");
    }
  });

  it("debug adds a container, copies a pod, and looks at a node", async () => {
    const added = await kubectl(
      "debug",
      "web",
      "--image=busybox",
      "--target=web",
      "-c",
      "added",
      "-i",
      "--",
      "wget",
      "-qO-",
      "http://127.0.0.1:8080",
    );
    assert.match(added, /You've hit web/);
    await kubectl("debug", "web", "--copy-to=web-copy", "--same-node", "--set-image=web=busybox", "-c", "web", "--", "sleep", "1000");
    await kubectl("wait", "--for=condition=Ready", "pod/web-copy", "--timeout=60s");
    assert.match(await kubectl("exec", "web-copy", "-c", "web", "--", "sh", "-c", "echo $GREETING"), /hello/);
    const onNode = await kubectl("debug", "node/node-1", "--image=busybox", "-i", "--", "cat", "/host/etc/hostname");
    assert.match(onNode, new RegExp(readFileSync("/etc/hostname", "utf8").trim()));
    await kubectl("delete", "pods", "--field-selector=metadata.name!=web", "--now");
  });

  it("cordon, taint and drain empty a node, here of some pods", async () => {
    const node = () => cluster.get<Node>("node", "node-2");
    const nodeSelector = { "kubernetes.io/hostname": "node-2" };
    const labels = { app: "drained" };
    const spec = { nodeSelector, containers: [{ name: "c", image: "busybox", command: ["sleep", "1000"] }] };
    const template = { metadata: { labels }, spec };
    const metadata = { name: "drained" };
    await cluster.apply({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { selector: { matchLabels: labels }, template } });
    await cluster.apply({ apiVersion: "v1", kind: "Pod", metadata: { name: "lonely", labels }, spec });
    await kubectl("rollout", "status", "deployment/drained", "--timeout=60s");
    const drain = ["drain", "node-2", "--pod-selector=app=drained"];
    const refused = await refusal(...drain);
    assert.match(refused.stderr, /cannot delete .*declare no controller.*\/lonely/s);
    assert.equal((await node()).spec?.unschedulable, true);
    assert.match(await kubectl("get", "node", "node-2"), /Ready,SchedulingDisabled/);
    await kubectl(...drain, "--force", "--grace-period=1", "--timeout=60s");
    const { items } = await cluster.get<{ items: Pod[] }>("pods", "-l", "app=drained");
    assert.ok(items.every(({ status, spec: placed }) => status?.phase === "Pending" && placed?.nodeName === undefined));
    await kubectl("uncordon", "node-2");
    await kubectl("rollout", "status", "deployment/drained", "--timeout=60s");
    await kubectl("cordon", "node-2");
    await kubectl("taint", "node", "node-2", "kept=free:PreferNoSchedule");
    assert.ok((await node()).spec?.taints?.some(({ key, effect }) => key === "kept" && effect === "PreferNoSchedule"));
    await kubectl("taint", "node", "node-2", "kept-");
    await kubectl("uncordon", "node-2");
  });
});

function getBySocket(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (answer) => text(answer).then(resolve, reject))
      .on("error", reject)
      .end();
  });
}
