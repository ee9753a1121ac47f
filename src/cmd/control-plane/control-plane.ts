// Controllers and scheduler over one API server in the same process: they share informers, so an object is in memory once.
import type { ApiHandler, ResourceCatalog, UserInfo } from "../../api/index.ts";
import type { Clock, Logger, Random } from "../../base/index.ts";
import { type Client, EventRecorder, LeaderElection, LocalClient, SharedInformers } from "../../client/index.ts";
import { type ControllerContext, type DefaultControllersOptions, defaultControllers, deletableResources } from "../../controllers/index.ts";
import { Scheduler, type SchedulerOptions } from "../../scheduler/index.ts";

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
  /**
   * For servers that share a store: controllers and scheduler work in the one that leads. The identity is the server's alone,
   * and the same after a restart, so that it need not wait for its own lease. Absent: no other server can have the store.
   */
  readonly election?: { readonly identity: string } | undefined;
  /** The cluster's keys, as controllers use them. */
  readonly credentials?: Pick<DefaultControllersOptions, "authority" | "issueSecretToken">;
  /** In which schedules without a zone are read. Default UTC. */
  readonly localTimeZone?: string | undefined;
  /** What the scheduler is to do other than by default. */
  readonly scheduler?: Pick<SchedulerOptions, "configuration" | "plugins" | "fetch">;
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

/** DEVIATION: one lease for controllers and scheduler, which share their informers. */
const LEASE = { namespace: "kube-system", name: "kube-controller-manager" };

export class ControlPlane {
  readonly #options: ControlPlaneOptions;

  constructor(options: ControlPlaneOptions) {
    this.#options = options;
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

  /** Runs controllers and scheduler, whenever they are this server's to run, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, logger, election } = this.#options;
    if (election === undefined) return new Term(this, this.#options).run(signal);
    const leaderElection = new LeaderElection({ ...LEASE, ...election, client: this.adminClient, clock, random, logger });
    await leaderElection.run(signal, (leadingSignal) => new Term(this, this.#options).run(leadingSignal));
  }
}

/** The controllers and the scheduler from when they begin to work to their end; they are made anew for another term. */
class Term {
  readonly #clients: Pick<ControlPlane, "adminClient" | "clientFor">;
  readonly #options: ControlPlaneOptions;
  readonly #informers: SharedInformers;
  readonly #recorders: EventRecorder[] = [];

  constructor(clients: Pick<ControlPlane, "adminClient" | "clientFor">, options: ControlPlaneOptions) {
    const { clock, random, logger } = options;
    this.#clients = clients;
    this.#options = options;
    this.#informers = new SharedInformers({ client: clients.adminClient, clock, random, logger });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { caPem, catalog, podNetwork, credentials, loadBalancerPool, localTimeZone, serverPort } = this.#options;
    const reservedPorts = [KUBELET_PORT, ...(serverPort === undefined ? [] : [serverPort])].map((port) => ({ protocol: "TCP", port }));
    const makers = defaultControllers({
      ...credentials,
      caPem,
      clusterCidr: podNetwork,
      localTimeZone,
      loadBalancers: { pool: loadBalancerPool, reservedPorts },
      deletableResources: () => deletableResources(catalog),
    });
    const running = makers.map(({ name, serviceAccount, make }) => make(this.#contextFor(name, controllerUser(serviceAccount))));
    const scheduler = new Scheduler({ ...this.#contextFor("default-scheduler", SCHEDULER_USER), ...this.#options.scheduler });
    this.#informers.start(signal);
    await Promise.all([...running.map((controller) => controller.run(signal)), scheduler.run(signal)]);
    await Promise.all(this.#recorders.map((recorder) => recorder.close()));
  }

  #contextFor(name: string, user: UserInfo): ControllerContext {
    const { clock, random, logger } = this.#options;
    const client = this.#clients.clientFor(user, name);
    const recorder = new EventRecorder({ client, clock, random, logger, component: name });
    this.#recorders.push(recorder);
    return { client, informers: this.#informers, recorder, clock, random, logger: logger.child({ component: name }) };
  }
}
