// A whole API server on a loopback port, on virtual time, with certificates of its own.
import { request } from "node:https";
import { Registry } from "prom-client";
import { builtInCatalog } from "../../src/api/index.ts";
import { createTestCa, type KeyPair } from "../../src/apiserver/front/fake-server.ts";
import { type ApiServer, type ApiServerOptions, createApiServer, defaultProxyHeaders } from "../../src/apiserver/index.ts";
import { SeededRandom, silentLogger, VirtualClock } from "../../src/base/index.ts";
import { versionInfo } from "../../src/cmd/version.ts";
import { MemoryStore } from "../../src/storage/index.ts";

export const ca = await createTestCa();
export const proxyCa = await createTestCa("test-proxy-ca");
const serving = await ca.issue("CN=kubernetes");
export const admin = await ca.issue("O=system:masters,CN=admin");
export const frontProxyClient = await proxyCa.issue("CN=front-proxy-client");

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: object;
  /** Default: the administrator; undefined: nobody. */
  readonly as?: KeyPair | undefined;
}

export interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they expect
  readonly json: any;
}

export interface TestServer extends ApiServer, AsyncDisposable {
  readonly clock: VirtualClock;
  readonly port: number;
  call(path: string, call?: Call): Promise<Answer>;
  /** Calls until the answer is as wanted, letting the server's promises settle in between. */
  eventually(path: string, isWanted: (answer: Answer) => boolean, call?: Call): Promise<Answer>;
  /** Lets time pass, so many milliseconds at each turn, until the call is answered. */
  passUntil(call: Promise<Answer>, stepMs: number): Promise<Answer>;
}

/** Enough for a slow machine: what is never so ends with the test's own time. */
const MANY_TURNS = 2_000;

export async function startApiServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const server = await createApiServer(
    {
      store: new MemoryStore({ clock }),
      catalog: builtInCatalog(),
      clock,
      random: new SeededRandom(1),
      logger: silentLogger,
      tls: { ...serving, clientCa: ca.cert },
      version: versionInfo(),
      serverAddress: "127.0.0.1:6443",
      serviceAccounts: { signingKey: serving.key },
      frontProxy: { ca: proxyCa.cert, allowedNames: ["front-proxy-client"], ...defaultProxyHeaders },
      frontProxyClient,
      metrics: new Registry(),
      core: { deepFreezes: true },
      ...options,
    },
    stop.signal,
  );
  const { port } = await server.front.listen({ host: "127.0.0.1", port: 0 });
  const call = (path: string, how: Call = {}) => send(port, path, how);
  const eventually = async (path: string, isWanted: (answer: Answer) => boolean, how: Call = {}) => {
    for (let attempt = 0; ; attempt++) {
      const answer = await call(path, how);
      if (isWanted(answer) || attempt === MANY_TURNS) return answer;
      await clock.advance(10);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const passUntil = async (answered: Promise<Answer>, stepMs: number) => {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    answered.then(over, over);
    while (!isOver) {
      await clock.advance(stepMs);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return answered;
  };
  const dispose = async () => {
    stop.abort();
    await server.front.close();
  };
  return { ...server, clock, port, call, eventually, passUntil, [Symbol.asyncDispose]: dispose };
}

function send(port: number, path: string, { method = "GET", headers = {}, body, ...rest }: Call): Promise<Answer> {
  const as = "as" in rest ? rest.as : admin;
  const type = body === undefined ? {} : { "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, ca: ca.cert, method, path, headers: { ...type, ...headers }, agent: false, ...as };
    const outgoing = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () => {
        const isJson = text !== "" && response.headers["content-type"]?.includes("json") === true && !path.includes("watch=1");
        resolve({ code: response.statusCode ?? 0, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
