// Ports forwarded through a WebSocket: the client speaks SPDY inside of it, which is passed on as it is.
// @see kubernetes `apiserver/pkg/util/proxy/streamtunnel.go`
import { type Duplex, pipeline } from "node:stream";
import { createWebSocketStream, type WebSocket } from "ws";

export const PORT_FORWARD_TUNNEL = "SPDY/3.1+portforward.k8s.io";
/** What is spoken inside. */
export const SPDY_PORT_FORWARD = "portforward.k8s.io";

/** Carries bytes both ways until one end closes. */
export function carryPortForward(client: WebSocket, kubelet: { readonly socket: Duplex; readonly head: Buffer }): void {
  const tunnel = createWebSocketStream(client);
  if (kubelet.head.byteLength > 0) tunnel.write(kubelet.head);
  // Either end that closes closes the other.
  pipeline(tunnel, kubelet.socket, tunnel, () => {
    tunnel.destroy();
    kubelet.socket.destroy();
  });
}
