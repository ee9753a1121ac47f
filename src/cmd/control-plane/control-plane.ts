// Controllers and scheduler over one API server in the same process: they share informers, so an object is in memory once.
import type { ApiHandler, Resource, ResourceCatalog, UserInfo } from "../../api/index.ts";
import type { Clock, Logger, Random } from "../../base/index.ts";
import { type Client, EventRecorder, LocalClient, SharedInformers } from "../../client/index.ts";
import { type ControllerContext, defaultControllers } from "../../controllers/index.ts";
import { Scheduler } from "../../scheduler/index.ts";

export interface ControlPlaneOptions {
  readonly handler: ApiHandler;
  readonly catalog: ResourceCatalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The cluster's CA certificate, which every namespace gets as kube-root-ca.crt. */
  readonly caPem: string;
  /** Networks that Services of type LoadBalancer get addresses from; without, they have the nodes'. */
  readonly loadBalancerPool?: readonly string[] | undefined;
  /** The server's own port, which is no Service's. */
  readonly serverPort?: number | undefined;
  /** The nodes' pod networks are parts of it. */
  readonly podNetwork: string;
}

/** The process itself, which it trusts: reads for the shared informers, and makes what every cluster has. */
const SERVER_USER: UserInfo = { name: "system:apiserver", groups: ["system:masters", "system:authenticated"] };
const SCHEDULER_USER: UserInfo = { name: "system:kube-scheduler", groups: ["system:authenticated"] };

const KUBELET_PORT = 10_250;

/** Each controller writes as a service account of its own. */
function controllerUser(name: string): UserInfo {
  return {
    name: `system:serviceaccount:kube-system:${name}`,
    groups: ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
  };
}

/** Everything that can be listed and deleted, each kind once. */
function deletable(catalog: ResourceCatalog): readonly Resource[] {
  return catalog
    .all()
    .filter(({ verbs, storedAs }) => storedAs === undefined && ["list", "watch", "delete"].every((verb) => verbs.includes(verb)));
}

export class ControlPlane {
  readonly informers: SharedInformers;
  readonly #options: ControlPlaneOptions;
  readonly #recorders: EventRecorder[] = [];

  constructor(options: ControlPlaneOptions) {
    this.#options = options;
    const { clock, random, logger } = options;
    this.informers = new SharedInformers({ client: this.adminClient, clock, random, logger });
  }

  /** Acts as the server itself. */
  get adminClient(): Client {
    return this.clientFor(SERVER_USER, "k8ts-server");
  }

  /** A client in this process that acts as `user`. */
  clientFor(user: UserInfo, userAgent: string): Client {
    const { handler, catalog } = this.#options;
    return new LocalClient({ handler, catalog, user, userAgent });
  }

  /** Runs controllers and scheduler until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { caPem, catalog, podNetwork, loadBalancerPool, serverPort } = this.#options;
    const reservedPorts = [KUBELET_PORT, ...(serverPort === undefined ? [] : [serverPort])].map((port) => ({ protocol: "TCP", port }));
    const makers = defaultControllers({
      caPem,
      clusterCidr: podNetwork,
      loadBalancers: { pool: loadBalancerPool, reservedPorts },
      deletableResources: () => deletable(catalog),
    });
    const running = makers.map(({ name, serviceAccount, make }) => make(this.#contextFor(name, controllerUser(serviceAccount))));
    const scheduler = new Scheduler(this.#contextFor("default-scheduler", SCHEDULER_USER));
    this.informers.start(signal);
    await Promise.all([...running.map((controller) => controller.run(signal)), scheduler.run(signal)]);
    await Promise.all(this.#recorders.map((recorder) => recorder.close()));
  }

  #contextFor(name: string, user: UserInfo): ControllerContext {
    const { clock, random, logger } = this.#options;
    const client = this.clientFor(user, name);
    const recorder = new EventRecorder({ client, clock, random, logger, component: name });
    this.#recorders.push(recorder);
    return { client, informers: this.informers, recorder, clock, random, logger: logger.child({ component: name }) };
  }
}
