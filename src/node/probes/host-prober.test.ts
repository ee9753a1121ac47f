import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { after, describe, it } from "node:test";
import { Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import type { Probe } from "../../api/types/core/v1.ts";
import { VirtualClock } from "../../base/index.ts";
import { type ExecResult, RuntimeError } from "../runtime/runtime.ts";
import { HostProber } from "./host-prober.ts";

const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const http = (listener: RequestListener) => listen(createServer(listener));

function proberWith(
  execSync: () => Promise<ExecResult> = async () => ({ stdout: new Uint8Array(), stderr: new Uint8Array(), exitCode: 0 }),
) {
  const clock = new VirtualClock();
  const prober = new HostProber({ runtime: { execSync }, clock });
  const probe = (spec: Probe, port = 80) =>
    prober.probe(spec, { podIp: "127.0.0.1", containerId: "c", ports: [{ name: "web", containerPort: port }], timeoutSeconds: 1 });
  return { clock, probe };
}

describe("HostProber", () => {
  it("gets a page by a port's name, with the probe's headers and kubelet's user agent", async () => {
    let seen: IncomingMessage | undefined;
    const port = await http((request, response) => {
      seen = request;
      response.end("fine");
    });
    const httpGet = { port: "web", path: "/healthz?full", httpHeaders: [{ name: "Host", value: "app.test" }] };
    assert.deepEqual(await proberWith().probe({ httpGet }, port), { result: "success", output: "fine" });
    assert.equal(seen?.url, "/healthz?full");
    assert.equal(seen?.headers.host, "app.test");
    assert.equal(seen?.headers["user-agent"], "kube-probe/1.36");
  });

  it("fails on a status outside 200 to 399", async () => {
    const port = await http((_request, response) => response.writeHead(503).end());
    assert.deepEqual(await proberWith().probe({ httpGet: { port } }), {
      result: "failure",
      output: "HTTP probe failed with statuscode: 503",
    });
  });

  it("follows redirects on the same host, and takes one to elsewhere for success", async () => {
    const port = await http((request, response) => {
      const location = request.url === "/a" ? "/b" : request.url === "/away" ? "http://elsewhere.test/" : undefined;
      if (location !== undefined) response.writeHead(302, { location }).end("moved");
      else response.writeHead(request.url === "/b" ? 500 : 200).end();
    });
    assert.equal((await proberWith().probe({ httpGet: { port, path: "/a" } })).output, "HTTP probe failed with statuscode: 500");
    const away = await proberWith().probe({ httpGet: { port, path: "/away" } });
    assert.deepEqual(away, { result: "success", output: "Probe terminated redirects, Response body: moved" });
  });

  it("fails when nobody listens", async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const refused = `dial tcp 127.0.0.1:${port}: connect: connection refused`;
    assert.deepEqual(await proberWith().probe({ tcpSocket: { port } }), { result: "failure", output: refused });
    assert.deepEqual(await proberWith().probe({ httpGet: { port } }), {
      result: "failure",
      output: `Get "http://127.0.0.1:${port}/": ${refused}`,
    });
  });

  it("fails a server that does not answer in time", async () => {
    let isAsked = false;
    const port = await http(() => {
      isAsked = true;
    });
    const { clock, probe } = proberWith();
    const outcome = probe({ httpGet: { port } });
    while (!isAsked) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(1_000);
    assert.match((await outcome).output, /context deadline exceeded/);
  });

  it("connects to a socket", async () => {
    const port = await listen(createTcpServer((socket) => socket.end()));
    assert.deepEqual(await proberWith().probe({ tcpSocket: { port } }), { result: "success", output: "" });
  });

  it("takes a command's exit code, and an overdue command for a failure", async () => {
    const exec = { command: ["check", "it"] };
    const result = { stdout: Buffer.from("out"), stderr: Buffer.from("err"), exitCode: 1 };
    assert.deepEqual(await proberWith(async () => result).probe({ exec }), { result: "failure", output: "outerr" });
    const overdue = proberWith(() => Promise.reject(new RuntimeError("FAILED", "rpc error: code = DeadlineExceeded desc = timeout")));
    const output = 'command timed out: "check it" timed out after 1s';
    assert.deepEqual(await overdue.probe({ exec }), { result: "failure", output });
    const gone = proberWith(() => Promise.reject(new RuntimeError("NOT_FOUND", "no container")));
    assert.deepEqual(await gone.probe({ exec }), { result: "unknown", output: "no container" });
  });

  it("asks for the health of a gRPC service", async () => {
    const server = new GrpcServer();
    const check = {
      path: "/grpc.health.v1.Health/Check",
      requestStream: false as const,
      responseStream: false as const,
      requestSerialize: (bytes: Buffer) => bytes,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: (bytes: Buffer) => bytes,
      responseDeserialize: (bytes: Buffer) => bytes,
    };
    // SERVING for the service "up", NOT_SERVING else.
    const isUp = (request: Buffer) => request.equals(Buffer.from([0x0a, 2, ...Buffer.from("up")]));
    server.addService(
      { check },
      {
        check: (call: { request: Buffer }, reply: (error: null, bytes: Buffer) => void) =>
          reply(null, Buffer.from([8, isUp(call.request) ? 1 : 2])),
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    assert.equal((await proberWith().probe({ grpc: { port, service: "up" } })).result, "success");
    const output = 'service unhealthy (responded with "NOT_SERVING")';
    assert.deepEqual(await proberWith().probe({ grpc: { port } }), { result: "failure", output });
    server.forceShutdown();
  });
});
