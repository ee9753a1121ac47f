// The server process: `k8ts server --config file`. Everything the control plane is made of is put together here.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { collectDefaultMetrics, Registry } from "prom-client";
import { builtInCatalog } from "../../api/index.ts";
import { createApiServer, defaultProxyHeaders } from "../../apiserver/index.ts";
import type { Clock, Logger, Random } from "../../base/index.ts";
import { EncryptingStore, LmdbStore, type Store } from "../../storage/index.ts";
import { dnsAddress } from "../config/cluster.ts";
import type { ServerConfig } from "../config/process-config.ts";
import { ControlPlane } from "../control-plane/control-plane.ts";
import { ensureDnsService } from "../control-plane/dns-service.ts";
import { ensureLocalPathClass } from "../control-plane/local-path-class.ts";
import type { FilePair } from "../pki/cluster-pki.ts";
import { SystemClock, SystemRandom } from "../system/clock.ts";
import { createLogger } from "../system/logger.ts";
import { aborted, stopSignal } from "../system/signals.ts";
import { versionInfo } from "../version.ts";
import { parseEncryptionConfiguration } from "./encryption.ts";

/** They end by themselves soon, and would live longer when written again. */
const EVENTS = /^\/registry\/core\/events\//;

/** What every part of the process is given. */
export interface ServerContext {
  readonly config: ServerConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Aborted when the process is asked to stop. */
  readonly signal: AbortSignal;
}

/** Runs until the process is asked to stop. */
export async function serverMain(configFile: string): Promise<void> {
  const config = JSON.parse(readFileSync(configFile, "utf8")) as ServerConfig;
  const logger = createLogger({ name: "server", level: config.logLevel });
  const context = { config, clock: new SystemClock(), random: new SystemRandom(), logger, signal: stopSignal() };
  await using _ = await startControlPlane(context);
  logger.info("serving", { addresses: config.listen, port: config.port });
  await aborted(context.signal);
  logger.info("stopping", { reason: String(context.signal.reason) });
}

/** Listens on all configured addresses; disposing stops it. */
async function startControlPlane({ config, clock, random, logger, signal }: ServerContext): Promise<AsyncDisposable> {
  mkdirSync(config.dataDirectory, { recursive: true, mode: 0o700 });
  const store = await openStore(config, { clock, random, logger });
  const catalog = builtInCatalog();
  const ca = readFileSync(config.caFile, "utf8");
  const proxyCa = readFileSync(config.frontProxyCaFile, "utf8");
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  const { core, front } = await createApiServer(
    {
      store,
      catalog,
      clock,
      random,
      logger,
      tls: { ...readPair(config.serving), clientCa: ca },
      version: versionInfo(),
      serverAddress: `${config.advertiseAddress}:${config.port}`,
      serviceAccounts: { signingKey: readFileSync(config.serviceAccountKeyFile), issuer: config.serviceAccountIssuer },
      ...(config.authentication === undefined ? {} : { authentication: config.authentication }),
      frontProxy: { ca: proxyCa, allowedNames: ["front-proxy-client"], ...defaultProxyHeaders },
      kubeletTls: { ...readPair(config.kubeletClient), ca },
      metrics,
      core: { serviceCidr: config.serviceNetwork, advertised: { ip: config.advertiseAddress, port: config.port } },
    },
    signal,
  );
  const controlPlane = new ControlPlane({
    handler: core,
    catalog,
    clock,
    random,
    logger,
    caPem: ca,
    podNetwork: config.podNetwork,
    serverPort: config.port,
    loadBalancerPool: config.loadBalancerPool,
  });
  const running = controlPlane.run(signal);
  await ensureDnsService({ client: controlPlane.adminClient, address: dnsAddress(config), signal });
  await ensureLocalPathClass(controlPlane.adminClient, signal);
  for (const host of config.listen) await front.listen({ host, port: config.port });
  return {
    [Symbol.asyncDispose]: async () => {
      await front.close();
      await running;
      await store.close();
    },
  };
}

/** The store below its encryption. What other keys, or none, have sealed is written anew before anyone reads. */
async function openStore(
  config: ServerConfig,
  { clock, random, logger }: Pick<ServerContext, "clock" | "random" | "logger">,
): Promise<Store> {
  const rules = parseEncryptionConfiguration(readFileSync(config.encryptionConfigFile, "utf8"), (count) => random.bytes(count));
  const store = new EncryptingStore(new LmdbStore({ path: join(config.dataDirectory, "data.mdb"), clock }), rules);
  const count = await store.rewriteStale((key) => EVENTS.test(key));
  if (count > 0) logger.info("encrypted anew", { values: count });
  return store;
}

function readPair({ certificateFile, privateKeyFile }: FilePair): { readonly cert: Buffer; readonly key: Buffer } {
  return { cert: readFileSync(certificateFile), key: readFileSync(privateKeyFile) };
}
