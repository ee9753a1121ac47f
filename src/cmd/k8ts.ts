// The command line of k8ts.
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { DEFAULT_SPEC } from "./config/cluster.ts";
import { DEFAULT_DATA_DIRECTORY, DEFAULT_RUN_DIRECTORY } from "./config/layout.ts";
import { resolveSourcesDirectly } from "./resolve-sources.ts";
import { leanHttp } from "./system/lean-http.ts";

interface CommonOptions {
  readonly dataDir: string;
  readonly runDir: string;
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function networks(text: string): string[] {
  return text.split(",").map((network) => network.trim());
}

function onOrOff(text: string): boolean {
  if (text !== "on" && text !== "off") throw new InvalidArgumentError("It must be on or off.");
  return text === "on";
}

function absolutePath(file: string): string {
  return resolve(file);
}

/** Loads the commands' code only when one of them runs: the processes of a cluster do without it. */
const commands = () => import("./commands.ts");

function program(): Command {
  const root = new Command("k8ts").description("Kubernetes on this machine").showHelpAfterError().enablePositionalOptions();
  const add = (name: string, description: string, parent = root) =>
    parent
      .command(name)
      .description(description)
      .option("--data-dir <directory>", "where the cluster is kept", DEFAULT_DATA_DIRECTORY)
      .option("--run-dir <directory>", "where its sockets are", DEFAULT_RUN_DIRECTORY);

  storeOptions(add("up", "bring a cluster up, or what is missing of it"))
    .option("--nodes <count>", "how many nodes", wholeNumber)
    .option("--hollow-nodes <count>", "how many simulated nodes besides", wholeNumber)
    .option("--port <port>", "the API server's port", wholeNumber)
    .option("--node-network <cidr>", `a /24 for the nodes (default: ${DEFAULT_SPEC.nodeNetwork})`)
    .option("--pod-network <cidr>", `a /16 for the pods, or with ,fd00:244::/48 two families (default: ${DEFAULT_SPEC.podNetwork})`)
    .option(
      "--service-network <cidr>",
      `a /16 for the services, or with ,fd00:96::/112 two families (default: ${DEFAULT_SPEC.serviceNetwork})`,
    )
    .option("--load-balancer-pool <cidr,...>", "networks for load balancers' addresses (default: they have the nodes')", networks)
    .option("--node-port-addresses <cidr,...>", "open node ports on addresses in these networks only (default: all but loopback)", networks)
    .option("--network-policy <on|off>", "whether agents that start from now on enforce NetworkPolicies (default: on)", onOrOff)
    .option("--scheduler-config <file>", "a KubeSchedulerConfiguration: profiles, plug-ins, extenders")
    .option("--kubelet-config <file>", "a KubeletConfiguration for agents that start from now on")
    .option("--registries <file>", "mirrors and credentials of image registries, as in k3s' registries.yaml")
    .option("--authentication-config <file>", "an AuthenticationConfiguration: OIDC issuers, anonymous access")
    .option("--authorization-config <file>", "an AuthorizationConfiguration: Node, RBAC and webhooks that authorise, in their order")
    .option("--audit-policy <file>", "a Policy of audit.k8s.io/v1: what is written to logs/audit.log")
    .option("--store <url>", "keep everything in an etcd: etcd://host:2379,host:2379 (default: in the data directory)")
    .option("--log-level <level>", "debug, info, warn or error")
    .option("--no-wait", "do not wait until the nodes are ready")
    .action(async (options) => (await commands()).up(options));
  add("down", "remove the cluster and everything it changed on this machine")
    .option("--keep-data", "keep the data directory for the next up")
    .action(async (options) => (await commands()).down(options));
  add("reset", "remove the cluster, all of it, whatever state it is in")
    .option("--check", "compare the host with what it was before the first up")
    .action(async (options) => (await commands()).reset(options));
  add("status", "show what runs").action(async (options: CommonOptions) => (await commands()).status(options));
  add("env", 'print the settings for a shell: eval "$(k8ts env)"').action(async (options) => (await commands()).env(options));
  add("kubeconfig", "print the administrator's kubeconfig").action(async (options) => (await commands()).kubeconfig(options));
  add("kubectl", "run kubectl against the cluster")
    .argument("[arguments...]")
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (args: string[], options) => (await commands()).kubectl(args, options));
  add("image", "load an archive onto every node, or list images")
    .argument("<load|list>")
    .argument("[archives...]")
    .action(async (verb: string, archives: string[], options) => (await commands()).image(verb, archives, options));
  add("snapshot", "save the cluster in a file, check such a file, or make a cluster of it")
    .argument("<save|verify|restore>")
    .argument("<file>")
    .action(async (verb: string, file: string, options) => (await commands()).snapshot(verb, file, options));
  const store = root.command("store").description("where the cluster keeps its objects");
  storeOptions(add("migrate", "move the cluster to another store, and start its server there", store))
    .argument("<lmdb|etcd://host:2379>")
    .action(async (target: string, options) => (await commands()).storeMigrate(target, options));
  add("node", "stop or start one node's agent, or end its pods and stop it as when the machine is shut down")
    .argument("<stop|start|shutdown>")
    .argument("<name>")
    .action(async (verb: string, name: string, options) => (await commands()).node({ verb, name }, options));
  root
    .command("version")
    .description("print the version")
    .action(async () => (await commands()).version());
  addProcesses(root);
  return root;
}

function storeOptions(command: Command): Command {
  return command
    .option("--store-ca <file>", "the etcd's certificate authority, for TLS", absolutePath)
    .option("--store-cert <file>", "the server's certificate for the etcd", absolutePath)
    .option("--store-key <file>", "its private key", absolutePath);
}

function addProcesses(root: Command): void {
  root
    .command("server", { hidden: true })
    .requiredOption("--config <file>")
    .action(({ config }: { readonly config: string }) => toTheEnd(async () => (await import("./server/main.ts")).serverMain(config)));
  root
    .command("agent", { hidden: true })
    .requiredOption("--config <file>")
    .action(({ config }: { readonly config: string }) => toTheEnd(async () => (await import("./agent/main.ts")).agentMain(config)));
  root
    .command("hollow", { hidden: true })
    .requiredOption("--config <file>")
    .action(({ config }: { readonly config: string }) => toTheEnd(async () => (await import("./hollow/main.ts")).hollowMain(config)));
}

/** Ends the process with `main`, whatever timers are still set; a failure is told on standard error, which is the log. */
async function toTheEnd(main: () => Promise<void>): Promise<void> {
  try {
    leanHttp();
    await main();
    process.exit(0);
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}

resolveSourcesDirectly();
try {
  await program().parseAsync();
} catch (error) {
  const isForeseen = error instanceof Error && "code" in error;
  console.error(isForeseen ? `k8ts: ${error.message}` : error);
  process.exitCode = 1;
}
