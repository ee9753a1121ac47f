// Pods of nodes on different segments reach each other through the tunnels. The segments are network namespaces with a router
// between them, which knows nothing of pods.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { deviceCommands, type TunnelEnd, tunnelCommands, tunnelRemoval } from "../../src/network/index.ts";

const [A, B, ROUTER] = ["k8ts-test-a", "k8ts-test-b", "k8ts-test-router"] as const;
const MTU = 1500;

/** For each IP family: the ends at A and B, and an address of a pod at each. */
const families = [
  {
    a: { address: "192.0.2.1", podCidr: "10.244.1.0/24" },
    b: { address: "198.51.100.2", podCidr: "10.244.2.0/24" },
    podA: "10.244.1.5",
    podB: "10.244.2.5",
  },
  {
    a: { address: "2001:db8:a::1", podCidr: "fd00:244:0:1::/64" },
    b: { address: "2001:db8:b::2", podCidr: "fd00:244:0:2::/64" },
    podA: "fd00:244:0:1::5",
    podB: "fd00:244:0:2::5",
  },
];

function run(namespace: string, command: readonly string[]): string {
  return execFileSync("ip", ["netns", "exec", namespace, ...command], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

const ip = (namespace: string, words: string) => execFileSync("ip", ["-n", namespace, ...words.split(" ")]);

function removeNamespaces(): void {
  for (const name of [A, B, ROUTER]) spawnSync("ip", ["netns", "delete", name], { stdio: "ignore" });
}

/** A namespace with a link to the router, by which it leaves its segment, and with pods' addresses. */
function makeSegment(name: string, link: string, [ipv4, ipv6]: readonly [string, string], pods: readonly string[]): void {
  ip(name, `link add eth0 type veth peer name ${link} netns ${ROUTER}`);
  for (const [namespace, device] of [
    [name, "eth0"],
    [ROUTER, link],
  ] as const) {
    ip(namespace, `address add ${namespace === name ? ipv4 : ipv4.replace(/\.\d+$/, ".254")}/24 dev ${device}`);
    ip(namespace, `address add ${namespace === name ? ipv6 : ipv6.replace(/::\d+$/, "::fe")}/64 dev ${device} nodad`);
    ip(namespace, `link set ${device} up`);
  }
  ip(name, `route add default via ${ipv4.replace(/\.\d+$/, ".254")}`);
  ip(name, `-6 route add default via ${ipv6.replace(/::\d+$/, "::fe")}`);
  for (const pod of pods) ip(name, `address add ${pod}/${pod.includes(":") ? 128 : 32} dev lo`);
}

/** Whether a packet of `bytes` gets there from the pod's address, and its answer back. */
function reaches(from: string, to: string, bytes = 56): boolean {
  const command = ["busybox", "ping", "-c", "1", "-W", "2", "-s", `${bytes}`, "-I", from, to];
  return spawnSync("ip", ["netns", "exec", A, ...command]).status === 0;
}

function join(namespace: string, own: TunnelEnd, peer: TunnelEnd): void {
  for (const command of [...deviceCommands(own, MTU), ...tunnelCommands(own, peer)]) run(namespace, command);
}

describe("nodes on different segments", () => {
  before(() => {
    removeNamespaces();
    for (const name of [A, B, ROUTER]) {
      execFileSync("ip", ["netns", "add", name]);
      ip(name, "link set lo up");
    }
    makeSegment(
      A,
      "to-a",
      ["192.0.2.1", "2001:db8:a::1"],
      families.map(({ podA }) => podA),
    );
    makeSegment(
      B,
      "to-b",
      ["198.51.100.2", "2001:db8:b::2"],
      families.map(({ podB }) => podB),
    );
    for (const sysctl of ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"]) run(ROUTER, ["sh", "-c", `echo 1 > /proc/sys/${sysctl}`]);
  });
  after(removeNamespaces);

  for (const { a, b, podA, podB } of families) {
    it(`have tunnels for ${a.podCidr.includes(":") ? "IPv6" : "IPv4"}, through which packets of every size get to pods, until they are taken back`, () => {
      assert.equal(reaches(podA, podB), false, "the router knows nothing of pods");
      join(A, a, b);
      join(B, b, a);
      assert.equal(reaches(podA, podB), true);
      assert.equal(reaches(podA, podB, 4000), true);
      for (const command of tunnelCommands(a, b)) run(A, command);
      assert.equal(reaches(podA, podB), true, "the same again changes nothing");
      for (const command of tunnelRemoval(b)) run(A, command);
      assert.equal(reaches(podA, podB), false);
    });
  }
});
