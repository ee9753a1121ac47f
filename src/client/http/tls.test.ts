import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { resources } from "../../api/index.ts";
import { VirtualClock } from "../../base/index.ts";
import { isConnectionError } from "../connection-error.ts";
import { HttpClient } from "./http-client.ts";

/** A certificate for 127.0.0.1 that signs itself, and its key. */
function readIdentity(name: string) {
  const read = (part: string) => readFileSync(new URL(`testdata/${name}.${part}.pem`, import.meta.url), "utf8");
  return { cert: read("cert"), key: read("key") };
}

test("HttpClient trusts only its authority and shows its certificate", async () => {
  const serverIdentity = readIdentity("server");
  const clientIdentity = readIdentity("alice");
  const server = createServer({ ...serverIdentity, requestCert: true, ca: clientIdentity.cert }, (request, response) => {
    const peer = (request.socket as TLSSocket).getPeerCertificate();
    response.end(JSON.stringify({ metadata: { name: peer.subject.CN } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const common = {
    server: new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`),
    userAgent: "test",
    clock: new VirtualClock(),
    ...clientIdentity,
  };
  const client = new HttpClient({ ...common, ca: serverIdentity.cert });
  assert.equal((await client.get(resources.namespaces, "a")).metadata.name, "alice");
  const stranger = new HttpClient({ ...common, ca: clientIdentity.cert });
  await assert.rejects(stranger.get(resources.namespaces, "a"), isConnectionError);
  client.close();
  stranger.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
