// Endpoints: the deprecated form of EndpointSlice.
import { type FieldError, field, isDns1123Label, isValidIp } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { EndpointAddress, Endpoints } from "../types/core/v1.ts";
import { checkMessages, checkPortNumber, checkRequiredOneOf } from "../validation/checks.ts";

const maxShown = 3;

/** `10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...` */
export function endpointsText({ subsets = [] }: Pick<Endpoints, "subsets">): string {
  const shown: string[] = [];
  let count = 0;
  for (const { addresses = [], ports = [] } of subsets) {
    for (const { port } of ports.length === 0 ? [{ port: undefined }] : ports) {
      for (const { ip } of addresses) {
        count++;
        if (shown.length < maxShown) shown.push(port === undefined ? ip : `${ip.includes(":") ? `[${ip}]` : ip}:${port}`);
      }
    }
  }
  if (count === 0) return "<none>";
  return count > maxShown ? `${shown.join(",")} + ${count - maxShown} more...` : shown.join(",");
}

function validateAddress(errors: FieldError[], path: string, { ip, hostname }: EndpointAddress): void {
  const messages = isValidIp(ip);
  checkMessages(errors, `${path}.ip`, ip, messages);
  if (hostname) checkMessages(errors, `${path}.hostname`, hostname, isDns1123Label(hostname));
  if (messages.length > 0) return;
  if (ip.startsWith("127.") || ip === "::1") {
    errors.push(field.invalid(`${path}.ip`, ip, "may not be in the loopback range (127.0.0.0/8, ::1/128)"));
  }
  if (ip === "0.0.0.0" || ip === "::") errors.push(field.invalid(`${path}.ip`, ip, `may not be unspecified (${ip})`));
}

function validate({ subsets = [] }: Endpoints): FieldError[] {
  const errors: FieldError[] = [];
  subsets.forEach(({ addresses = [], notReadyAddresses = [], ports = [] }, i) => {
    const path = `subsets[${i}]`;
    if (addresses.length + notReadyAddresses.length === 0) {
      errors.push(field.required(path, "must specify `addresses` or `notReadyAddresses`"));
    }
    addresses.forEach((address, j) => {
      validateAddress(errors, `${path}.addresses[${j}]`, address);
    });
    notReadyAddresses.forEach((address, j) => {
      validateAddress(errors, `${path}.notReadyAddresses[${j}]`, address);
    });
    ports.forEach(({ name, port, protocol }, j) => {
      const portPath = `${path}.ports[${j}]`;
      if (ports.length > 1 && !name) errors.push(field.required(`${portPath}.name`));
      else if (name) checkMessages(errors, `${portPath}.name`, name, isDns1123Label(name));
      checkPortNumber(errors, `${portPath}.port`, port);
      checkRequiredOneOf(errors, `${portPath}.protocol`, protocol, ["SCTP", "TCP", "UDP"]);
    });
  });
  return errors;
}

export const endpointsStrategy: KindStrategy<Endpoints> = {
  deprecationWarning: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  applyDefaults(endpoints) {
    for (const { ports } of endpoints.subsets ?? []) for (const port of ports ?? []) port.protocol ||= "TCP";
  },
  validate,
  allowsCreateOnUpdate: true,
  columns: [nameColumn, column("Endpoints", endpointsText), ageColumn],
};
