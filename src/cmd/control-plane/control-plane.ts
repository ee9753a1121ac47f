// Controllers and scheduler over one API server in the same process: they share informers, so an object is in memory once.
import type { ApiHandler, ResourceCatalog, UserInfo } from "../../api/index.ts";
import type { Clock, Logger, Random } from "../../base/index.ts";
import { type Client, EventRecorder, LocalClient, SharedInformers } from "../../client/index.ts";
import { type ControllerContext, deploymentController, replicaSetController } from "../../controllers/index.ts";
import { Scheduler } from "../../scheduler/index.ts";

export interface ControlPlaneOptions {
  readonly handler: ApiHandler;
  readonly catalog: ResourceCatalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Reads for the shared informers of this process, which trusts itself. */
const INFORMER_USER: UserInfo = { name: "system:apiserver", groups: ["system:masters", "system:authenticated"] };
const SCHEDULER_USER: UserInfo = { name: "system:kube-scheduler", groups: ["system:authenticated"] };

/** Each controller writes as a service account of its own. */
function controllerUser(name: string): UserInfo {
  return {
    name: `system:serviceaccount:kube-system:${name}`,
    groups: ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
  };
}

const controllers = { "deployment-controller": deploymentController, "replicaset-controller": replicaSetController };

export class ControlPlane {
  readonly informers: SharedInformers;
  readonly #options: ControlPlaneOptions;

  constructor(options: ControlPlaneOptions) {
    this.#options = options;
    const { clock, random, logger } = options;
    this.informers = new SharedInformers({ client: this.clientFor(INFORMER_USER, "k8ts-informers"), clock, random, logger });
  }

  /** A client in this process that acts as `user`. */
  clientFor(user: UserInfo, userAgent: string): Client {
    const { handler, catalog } = this.#options;
    return new LocalClient({ handler, catalog, user, userAgent });
  }

  /** Runs controllers and scheduler until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const running = Object.entries(controllers).map(([name, make]) => make(this.#contextFor(name, controllerUser(name))));
    const scheduler = new Scheduler(this.#contextFor("default-scheduler", SCHEDULER_USER));
    this.informers.start(signal);
    await Promise.all([...running.map((controller) => controller.run(signal)), scheduler.run(signal)]);
  }

  #contextFor(name: string, user: UserInfo): ControllerContext {
    const { clock, random, logger } = this.#options;
    const client = this.clientFor(user, name);
    const recorder = new EventRecorder({ client, clock, random, logger, component: name });
    return { client, informers: this.informers, recorder, clock, random, logger: logger.child({ component: name }) };
  }
}
