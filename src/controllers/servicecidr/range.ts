// Which addresses and ranges a range holds, in both families.
import ipaddr from "ipaddr.js";

/** Whether `cidr` holds the address; false for what is no address or of the other family. */
export function contains(cidr: string, address: string): boolean {
  if (!ipaddr.isValid(address) || !ipaddr.isValidCIDR(cidr)) return false;
  const [network, prefix] = ipaddr.parseCIDR(cidr);
  const parsed = ipaddr.parse(address);
  return parsed.kind() === network.kind() && parsed.match(network, prefix);
}

/** Whether all of `inner` is in `outer`. */
export function covers(outer: string, inner: string): boolean {
  if (!ipaddr.isValidCIDR(inner) || !ipaddr.isValidCIDR(outer)) return false;
  const [network, prefix] = ipaddr.parseCIDR(inner);
  return contains(outer, network.toString()) && prefix >= ipaddr.parseCIDR(outer)[1];
}
