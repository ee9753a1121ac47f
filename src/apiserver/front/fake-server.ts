// For tests: a front on a loopback port with certificates of its own, over a handler that keeps objects in a map.
import "reflect-metadata";

import { webcrypto } from "node:crypto";
import { request as httpsRequest } from "node:https";
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from "@peculiar/x509";
import { builtInCatalog, type GuardedHandler, type RequestScope, type Stored, type StoredWatchEvent } from "../../api/index.ts";
import { SeededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { type KubeObject, notFound } from "../../machinery/index.ts";
import { AuthenticatorChain, defaultProxyHeaders, Impersonator, TokenChain } from "../authn/index.ts";
import { type Authorizer, authorizationError } from "../authz/index.ts";
import type { Endpoint } from "./exchange.ts";
import { HttpFront } from "./http-front.ts";
import { ResourceEndpoint } from "./resource-endpoint.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const validity = { notBefore: new Date("2020-01-01T00:00:00Z"), notAfter: new Date("2120-01-01T00:00:00Z") };

export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;
}

export interface TestCa {
  readonly cert: string;
  /** For 127.0.0.1 and `dnsNames`. */
  issue(subject: string, dnsNames?: readonly string[]): Promise<KeyPair>;
}

/** A certificate authority that signs what it is asked to. */
export async function createTestCa(name = "test-ca"): Promise<TestCa> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const ca = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(true)],
    ...validity,
  });
  return {
    cert: ca.toString("pem"),
    async issue(subject, dnsNames = []) {
      const names = dnsNames.map((value) => ({ type: "dns" as const, value }));
      const own = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
      const cert = await X509CertificateGenerator.create({
        subject,
        issuer: ca.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [new SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }, ...names])],
        ...validity,
      });
      return { key: await keyPem(own.privateKey), cert: cert.toString("pem") };
    },
  };
}

export function storedObject(object: KubeObject): Stored {
  return { object: object as Stored["object"], json: Buffer.from(JSON.stringify(object)) };
}

/** Keeps objects by `resource/namespace/name`; a watch sends `events` and ends. */
export class FakeHandler implements GuardedHandler {
  readonly objects = new Map<string, Stored>();
  readonly scopes: RequestScope[] = [];
  readonly #authorizer: Authorizer;
  events: StoredWatchEvent[][] = [];

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer;
  }

  async authorize(scope: RequestScope, verb: string): Promise<void> {
    const { group, version, resource } = scope.resource;
    const attributes = { ...scope, group, version, resource, verb };
    const decision = await this.#authorizer.authorize(attributes);
    if (!decision.allowed) throw authorizationError(attributes, decision.reason);
  }

  async #enter(scope: RequestScope, verb: string): Promise<string> {
    this.scopes.push(scope);
    if (scope.authorizedFor !== verb) await this.authorize(scope, verb);
    return `${scope.resource.resource}/${scope.namespace}/${scope.name}`;
  }

  async get(scope: RequestScope): Promise<Stored> {
    const stored = this.objects.get(await this.#enter(scope, "get"));
    if (stored === undefined) throw notFound(scope.resource, scope.name);
    return stored;
  }

  async list(scope: RequestScope) {
    const prefix = await this.#enter(scope, "list");
    const items = [...this.objects].filter(([key]) => key.startsWith(prefix.slice(0, -1))).map(([, stored]) => stored);
    return { items, resourceVersion: "7" };
  }

  async watch(scope: RequestScope): Promise<AsyncIterable<readonly StoredWatchEvent[]>> {
    await this.#enter(scope, "watch");
    const { events } = this;
    return (async function* () {
      yield* events;
    })();
  }

  async create(scope: RequestScope, object: object): Promise<Stored> {
    const stored = storedObject(object as KubeObject);
    this.objects.set(`${await this.#enter(scope, "create")}${stored.object.metadata.name}`, stored);
    return stored;
  }

  async update(scope: RequestScope, object: object) {
    const stored = storedObject(object as KubeObject);
    this.objects.set(await this.#enter(scope, "update"), stored);
    return { stored, created: false };
  }

  async patch(scope: RequestScope, patch: unknown) {
    await this.#enter(scope, "patch");
    return { stored: storedObject(patch as KubeObject), created: true };
  }

  async delete(scope: RequestScope) {
    this.objects.delete(await this.#enter(scope, "delete"));
    return { status: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" } };
  }

  async deleteCollection(scope: RequestScope) {
    return this.list(scope);
  }
}

export interface TestCall {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly as?: KeyPair | undefined;
}

export interface TestAnswer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  json(): Record<string, unknown>;
}

/** Everyone in `admins` may do all, others nothing. */
const adminsOnly: Authorizer = {
  authorize: ({ user, path }) => ({ allowed: user.groups.includes("admins") || path === "/healthz", reason: "" }),
};

/** A running front; `call` sends one request over HTTP/1.1 as `admin` unless told otherwise. */
export async function startTestFront(endpoints: ReadonlyMap<string, Endpoint> = new Map()) {
  const ca = await createTestCa();
  const [server, admin, nobody] = await Promise.all([ca.issue("CN=server"), ca.issue("CN=alice, O=admins, O=dev"), ca.issue("CN=bob")]);
  const proxyCa = await createTestCa("test-proxy-ca");
  const proxy = await proxyCa.issue("CN=front-proxy-client");
  const handler = new FakeHandler(adminsOnly);
  const clock = new VirtualClock();
  const front = new HttpFront({
    tls: { ...server, clientCa: ca.cert },
    frontProxy: { ca: proxyCa.cert, allowedNames: ["front-proxy-client"], ...defaultProxyHeaders },
    clock,
    random: new SeededRandom(1),
    logger: silentLogger,
    authenticator: new AuthenticatorChain({
      tokens: new TokenChain({ authenticators: () => [], apiAudiences: [] }),
      allowsAnonymous: (path) => path === "/healthz",
    }),
    impersonator: new Impersonator(adminsOnly),
    authorizer: adminsOnly,
    resources: new ResourceEndpoint({ handler, catalog: builtInCatalog(), clock }),
    endpoints,
  });
  const { port } = await front.listen({ host: "127.0.0.1", port: 0 });
  const call = (options: TestCall) => send(port, ca.cert, "as" in options ? options : { ...options, as: admin });
  return { front, handler, port, ca, proxyCa, admin, nobody, proxy, call, [Symbol.asyncDispose]: () => front.close() };
}

function send(port: number, ca: string, { method = "GET", path, headers = {}, body, as }: TestCall): Promise<TestAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({ host: "127.0.0.1", port, ca, method, path, headers, agent: false, ...as }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const whole = Buffer.concat(chunks);
        resolve({ code: response.statusCode ?? 0, headers: response.headers, body: whole, json: () => JSON.parse(whole.toString()) });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}
