// Where names outside the cluster are asked for: the machine's own name servers, never ourselves.

/** systemd-resolved keeps the real servers here when resolv.conf names only its stub. */
export const RESOLV_CONF_PATHS = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"] as const;

/** The `nameserver` addresses of a resolv.conf. */
export function parseNameservers(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const [keyword, address] = line.trim().split(/\s+/);
    return keyword === "nameserver" && address !== undefined ? [address] : [];
  });
}

/**
 * The servers to forward to: those of the first file that names one which is neither a stub on loopback nor in `own`
 * (asking those would ask ourselves again). Empty when there is none.
 */
export function upstreamServers(files: readonly string[], own: readonly string[]): string[] {
  for (const text of files) {
    const servers = parseNameservers(text).filter((address) => !isLoopback(address) && !own.includes(address));
    if (servers.length > 0) return servers;
  }
  return [];
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
