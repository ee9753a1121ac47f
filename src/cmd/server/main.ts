// The server process: `k8ts server --config file`. Everything the control plane is made of is put together here.
import { mkdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { Clock, Logger, Random } from "../../base/index.ts";
import type { ServerConfig } from "../config/process-config.ts";
import { SystemClock, SystemRandom } from "../system/clock.ts";
import { createLogger } from "../system/logger.ts";
import { aborted, stopSignal } from "../system/signals.ts";

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
  mkdirSync(config.dataDirectory, { recursive: true, mode: 0o700 });
  await using _ = await startControlPlane(context);
  logger.info("serving", { addresses: config.listen, port: config.port });
  await aborted(context.signal);
  logger.info("stopping", { reason: String(context.signal.reason) });
}

/** Listens on all configured addresses; disposing stops it. */
async function startControlPlane({ config }: ServerContext): Promise<AsyncDisposable> {
  const tls = {
    cert: readFileSync(config.serving.certificateFile),
    key: readFileSync(config.serving.privateKeyFile),
    ca: readFileSync(config.caFile),
    requestCert: true,
    rejectUnauthorized: false,
  };
  const servers = config.listen.map(() =>
    createServer(tls, (request, response) => {
      response.statusCode = /^\/(livez|readyz|healthz)(\/|$|\?)/.test(request.url ?? "") ? 200 : 404;
      response.end(response.statusCode === 200 ? "ok" : "404 page not found\n");
    }),
  );
  await Promise.all(servers.map((server, index) => listen(server, config.listen[index] ?? "127.0.0.1", config.port)));
  return {
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
}
