// The server process: `k8ts server --config file`. Everything the control plane is made of is put together here.
import { readFileSync } from "node:fs";
import { Registry } from "prom-client";
import { parse } from "yaml";
import { builtInCatalog, type GrowingCatalog } from "../../api/index.ts";
import { type ApiServer, createApiServer, defaultProxyHeaders } from "../../apiserver/index.ts";
import type { Clock, Logger, Random } from "../../base/index.ts";
import { type SchedulerOptions, schedulerConfiguration } from "../../scheduler/index.ts";
import { isFailedCommit, type Store } from "../../storage/index.ts";
import { dnsAddress } from "../config/cluster.ts";
import type { ServerConfig } from "../config/process-config.ts";
import { ensureClusterObjects } from "../control-plane/cluster-objects.ts";
import { ControlPlane } from "../control-plane/control-plane.ts";
import { ensureDnsService } from "../control-plane/dns-service.ts";
import type { FilePair } from "../pki/cluster-pki.ts";
import { requestAuthority } from "../pki/request-authority.ts";
import { SystemClock, SystemRandom } from "../system/clock.ts";
import { createLogger } from "../system/logger.ts";
import { collectProcessMetrics } from "../system/process-metrics.ts";
import { aborted, stopSignal } from "../system/signals.ts";
import { versionInfo } from "../version.ts";
import { setUpAudit } from "./audit.ts";
import { setUpAuthentication } from "./authentication.ts";
import { setUpAuthorizers } from "./authorization.ts";
import { ConfigurationFile } from "./configuration-file.ts";
import { openStore } from "./open-store.ts";

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
  outliveFailedCommits();
  const context = { config, clock: new SystemClock(), random: new SystemRandom(), logger, signal: stopSignal() };
  await using _ = await startControlPlane(context);
  logger.info("serving", { addresses: config.listen, port: config.port });
  await aborted(context.signal);
  logger.info("stopping", { reason: String(context.signal.reason) });
}

/** A full disk is told to those who write; the server goes on to answer those who read. */
function outliveFailedCommits(): void {
  process.on("unhandledRejection", (reason) => {
    if (!isFailedCommit(reason)) throw reason;
  });
}

/** Listens on all configured addresses; disposing stops it. */
async function startControlPlane(context: ServerContext): Promise<AsyncDisposable> {
  const { config, clock, random, logger, signal } = context;
  const store = await openStore(config, { clock, random, logger });
  const catalog = builtInCatalog();
  const ca = readFileSync(config.caFile, "utf8");
  const { core, front, secretTokens } = await startApiServer(context, { store, catalog, ca });
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
    localTimeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    scheduler: schedulerOptions(config),
    // Only a store that several servers may share makes it a question who leads.
    ...(config.etcd === undefined ? {} : { election: { identity: `${config.advertiseAddress}:${config.port}` } }),
    credentials: {
      authority: requestAuthority({ certificate: ca, privateKey: readFileSync(config.caKeyFile, "utf8") }, clock),
      issueSecretToken: (account, secret) => secretTokens.issue(account, secret),
    },
  });
  await ensureDnsService({ client: controlPlane.adminClient, address: dnsAddress(config), signal });
  const serverUrl = `https://${config.advertiseAddress}:${config.port}`;
  await ensureClusterObjects({ client: controlPlane.adminClient, caPem: ca, server: serverUrl, signal });
  for (const host of config.listen) await front.listen({ host, port: config.port });
  // Behind the server's own start: what it holds is there to be read while controllers still take it in.
  const running = controlPlane.run(signal);
  return {
    [Symbol.asyncDispose]: async () => {
      await front.close();
      await running;
      await store.close();
    },
  };
}

/** Follows its configuration files until the signal aborts. */
async function startApiServer(
  { config, clock, random, logger, signal }: ServerContext,
  { store, catalog, ca }: { readonly store: Store; readonly catalog: GrowingCatalog; readonly ca: string },
): Promise<ApiServer> {
  const proxyCa = readFileSync(config.frontProxyCaFile, "utf8");
  const metrics = new Registry();
  collectProcessMetrics(metrics);
  const serverAddress = `${config.advertiseAddress}:${config.port}`;
  const authentication = ConfigurationFile.read("authentication", config.authenticationConfigFile);
  const authorization = ConfigurationFile.read("authorization", config.authorizationConfigFile);
  const server = await createApiServer(
    {
      store,
      catalog,
      clock,
      random,
      logger,
      tls: { ...readPair(config.serving), clientCa: ca },
      version: versionInfo(),
      serverAddress,
      serviceAccounts: { signingKey: readFileSync(config.serviceAccountKeyFile), issuer: config.serviceAccountIssuer },
      authentication: setUpAuthentication(config, authentication?.text),
      ...(authorization === undefined ? {} : { authorizers: setUpAuthorizers(authorization.text) }),
      frontProxy: { ca: proxyCa, allowedNames: ["front-proxy-client"], ...defaultProxyHeaders },
      ...(config.audit === undefined ? {} : { audit: setUpAudit(config.audit, { clock, logger }) }),
      frontProxyClient: readPair(config.frontProxyClient),
      kubeletTls: { ...readPair(config.kubeletClient), ca },
      metrics,
      core: { serviceCidr: config.serviceNetwork, advertised: { ip: config.advertiseAddress, port: config.port } },
    },
    signal,
  );
  const options = { clock, logger, metrics, serverId: serverAddress, signal };
  authentication?.follow((text) => server.setAuthentication(setUpAuthentication(config, text)), options);
  authorization?.follow((text) => server.setAuthorizers(setUpAuthorizers(text)), options);
  return server;
}

/** The profiles of the configured file, if there is one. */
function schedulerOptions({ schedulerConfigFile }: ServerConfig): Pick<SchedulerOptions, "configuration" | "fetch"> {
  if (schedulerConfigFile === undefined) return {};
  return { configuration: schedulerConfiguration(parse(readFileSync(schedulerConfigFile, "utf8"))), fetch: globalThis.fetch };
}

function readPair({ certificateFile, privateKeyFile }: FilePair): { readonly cert: Buffer; readonly key: Buffer } {
  return { cert: readFileSync(certificateFile), key: readFileSync(privateKeyFile) };
}
