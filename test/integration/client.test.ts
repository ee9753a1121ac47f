// Both clients keep their contract on the real server: by function calls, and over TLS with a client certificate.
import { Registry } from "prom-client";
import { builtInCatalog } from "../../src/api/index.ts";
import { createTestCa } from "../../src/apiserver/front/fake-server.ts";
import { createApiServer } from "../../src/apiserver/index.ts";
import { SeededRandom, silentLogger, VirtualClock } from "../../src/base/index.ts";
import { clientSuite } from "../../src/client/client.suite.ts";
import { HttpClient, LocalClient } from "../../src/client/index.ts";
import { ControlPlane } from "../../src/cmd/control-plane/control-plane.ts";
import { SystemClock } from "../../src/cmd/system/clock.ts";
import { versionInfo } from "../../src/cmd/version.ts";
import { MemoryStore } from "../../src/storage/index.ts";

const ca = await createTestCa();
const serving = await ca.issue("CN=kubernetes");
const admin = await ca.issue("O=system:masters,CN=admin");

/** A server with its controllers, on a clock that runs for HTTP and stands still otherwise. */
async function startServer() {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const catalog = builtInCatalog();
  const stop = new AbortController();
  const store = new MemoryStore({ clock });
  const { core, front } = await createApiServer(
    {
      store,
      catalog,
      clock,
      random,
      logger: silentLogger,
      tls: { ...serving, clientCa: ca.cert },
      version: versionInfo(),
      serverAddress: "127.0.0.1:6443",
      serviceAccounts: { signingKey: serving.key },
      metrics: new Registry(),
      core: { deepFreezes: true },
    },
    stop.signal,
  );
  const controlPlane = new ControlPlane({
    handler: core,
    catalog,
    clock,
    random,
    logger: silentLogger,
    caPem: ca.cert,
    podNetwork: "10.244.0.0/16",
  });
  const running = controlPlane.run(stop.signal);
  await clock.advance(0);
  const close = async () => {
    stop.abort();
    await Promise.all([running, front.close()]);
  };
  return { core, catalog, front, close };
}

clientSuite("LocalClient on the server", async () => {
  const { core, catalog, close } = await startServer();
  const user = { name: "admin", groups: ["system:masters"] };
  return { client: new LocalClient({ handler: core, catalog, user, userAgent: "test" }), [Symbol.asyncDispose]: close };
});

clientSuite("HttpClient on the server", async () => {
  const { front, close } = await startServer();
  const { port } = await front.listen({ host: "127.0.0.1", port: 0 });
  const server = new URL(`https://127.0.0.1:${port}`);
  const client = new HttpClient({ server, ca: ca.cert, ...admin, userAgent: "test", clock: new SystemClock() });
  return {
    client,
    [Symbol.asyncDispose]: async () => {
      client.close();
      await close();
    },
  };
});
