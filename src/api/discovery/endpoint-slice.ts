// EndpointSlice: defaults, validation, columns.
import { isIPv4, isIPv6 } from "node:net";
import { type FieldError, field, isDns1123Label, isDns1123Subdomain } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { Endpoint, EndpointSlice } from "../types/discovery/v1.ts";
import { checkImmutable, checkMessages, checkOneOf, checkRequiredOneOf } from "../validation/checks.ts";

const maxEndpoints = 1000;
const maxPorts = 20000;
const maxAddresses = 100;
const maxShown = 3;

function validateEndpoint(errors: FieldError[], path: string, endpoint: Endpoint, addressType: string): void {
  const { addresses = [], hostname } = endpoint;
  if (addresses.length === 0) errors.push(field.required(`${path}.addresses`, "must contain at least 1 address"));
  else if (addresses.length > maxAddresses) errors.push(field.tooMany(`${path}.addresses`, addresses.length, maxAddresses));
  addresses.forEach((address, i) => {
    const itemPath = `${path}.addresses[${i}]`;
    if (addressType === "FQDN") checkMessages(errors, itemPath, address, isDns1123Subdomain(address));
    else if (addressType === "IPv4" ? !isIPv4(address) : !isIPv6(address)) {
      errors.push(field.invalid(itemPath, address, `must be an ${addressType} address`));
    }
  });
  if (hostname !== undefined) checkMessages(errors, `${path}.hostname`, hostname, isDns1123Label(hostname));
}

function validate({ addressType, endpoints = [], ports = [] }: EndpointSlice): FieldError[] {
  const errors: FieldError[] = [];
  checkRequiredOneOf(errors, "addressType", addressType, ["FQDN", "IPv4", "IPv6"]);
  if (endpoints.length > maxEndpoints) errors.push(field.tooMany("endpoints", endpoints.length, maxEndpoints));
  else {
    endpoints.forEach((endpoint, i) => {
      validateEndpoint(errors, `endpoints[${i}]`, endpoint, addressType);
    });
  }
  if (ports.length > maxPorts) errors.push(field.tooMany("ports", ports.length, maxPorts));
  const names = new Set<string>();
  ports.forEach(({ name = "", protocol }, i) => {
    if (name !== "") checkMessages(errors, `ports[${i}].name`, name, isDns1123Label(name));
    if (names.has(name)) errors.push(field.duplicate(`ports[${i}].name`, name));
    names.add(name);
    checkOneOf(errors, `ports[${i}].protocol`, protocol, ["SCTP", "TCP", "UDP"]);
  });
  return errors;
}

/** `a,b,c + 2 more...` */
function limited(texts: readonly string[]): string {
  if (texts.length <= maxShown) return texts.join(",");
  return `${texts.slice(0, maxShown).join(",")} + ${texts.length - maxShown} more...`;
}

function portsCell({ ports = [] }: EndpointSlice): string {
  if (ports.length === 0) return "<unset>";
  return limited(ports.map(({ name, port }) => (port === undefined ? name || "*" : String(port))));
}

function endpointsCell({ endpoints = [] }: EndpointSlice): string {
  return endpoints.length === 0 ? "<unset>" : limited(endpoints.flatMap(({ addresses }) => addresses));
}

export const endpointSliceStrategy: KindStrategy<EndpointSlice> = {
  applyDefaults(slice) {
    for (const port of slice.ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  validate,
  validateUpdate(slice, old) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "addressType", slice.addressType, old.addressType);
    return errors;
  },
  hasGeneration: true,
  columns: [
    nameColumn,
    column("AddressType", (slice) => slice.addressType),
    column("Ports", portsCell),
    column("Endpoints", endpointsCell),
    ageColumn,
  ],
};
