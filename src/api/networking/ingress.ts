// Ingress: validation, columns.
import { type FieldError, field, isDns1035Label, isDns1123Subdomain, isWildcardDns1123Subdomain } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn, textOrNone } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { HTTPIngressPath, Ingress, IngressBackend } from "../types/networking/v1.ts";
import { checkMessages, checkPortNumber, checkSubdomain } from "../validation/checks.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";

const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"];
const badSequences = ["//", "/./", "/../", "%2f", "%2F"];
const badSuffixes = ["/..", "/."];

function validateBackend(errors: FieldError[], path: string, { service, resource }: IngressBackend): void {
  if (service && resource) errors.push(field.invalid(path, "", "cannot set both resource and service backends"));
  else if (service) {
    if (!service.name) errors.push(field.required(`${path}.service.name`));
    else checkMessages(errors, `${path}.service.name`, service.name, isDns1035Label(service.name));
    const { name, number } = service.port ?? {};
    if (name && number) errors.push(field.invalid(path, "", "cannot set both port name & port number"));
    else if (number) checkPortNumber(errors, `${path}.service.port.number`, number);
    else if (!name) errors.push(field.required(path, "port name or number is required"));
  } else if (!resource) errors.push(field.invalid(path, "", "resource or service backend is required"));
}

function validatePath(errors: FieldError[], path: string, rule: HTTPIngressPath): void {
  const { pathType, path: text = "" } = rule;
  if (!pathType) errors.push(field.required(`${path}.pathType`, "pathType must be specified"));
  else if (!pathTypes.includes(pathType)) errors.push(field.notSupported(`${path}.pathType`, pathType, pathTypes));
  else if (pathType !== "ImplementationSpecific" || text !== "") {
    if (!text.startsWith("/")) errors.push(field.invalid(`${path}.path`, text, "must be an absolute path"));
    else if (pathType !== "ImplementationSpecific") {
      for (const bad of badSequences) if (text.includes(bad)) errors.push(field.invalid(`${path}.path`, text, `must not contain '${bad}'`));
      for (const bad of badSuffixes) if (text.endsWith(bad)) errors.push(field.invalid(`${path}.path`, text, `cannot end with '${bad}'`));
    }
  }
  validateBackend(errors, `${path}.backend`, rule.backend ?? {});
}

function validate({ spec = {} }: Ingress): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec.rules?.length && !spec.defaultBackend) {
    errors.push(field.invalid("spec", spec.rules, "either `defaultBackend` or `rules` must be specified"));
  }
  if (spec.defaultBackend) validateBackend(errors, "spec.defaultBackend", spec.defaultBackend);
  spec.rules?.forEach(({ host = "", http }, i) => {
    if (host !== "") {
      checkMessages(
        errors,
        `spec.rules[${i}].host`,
        host,
        host.includes("*") ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host),
      );
    }
    if (http && !http.paths?.length) errors.push(field.required(`spec.rules[${i}].http.paths`));
    http?.paths?.forEach((rule, j) => {
      validatePath(errors, `spec.rules[${i}].http.paths[${j}]`, rule);
    });
  });
  checkSubdomain(errors, "spec.ingressClassName", spec.ingressClassName);
  return errors;
}

function hostsCell({ spec }: Ingress): string {
  const hosts = (spec?.rules ?? []).map(({ host }) => host ?? "").filter(Boolean);
  if (hosts.length === 0) return "*";
  return hosts.length > 3 ? `${hosts.slice(0, 3).join(",")} + ${hosts.length - 3} more...` : hosts.join(",");
}

export const ingressStrategy: KindStrategy<Ingress> = {
  prepareForCreate(ingress) {
    ingress.status = { loadBalancer: {} };
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate,
  hasGeneration: true,
  columns: [
    nameColumn,
    column("Class", ({ spec }) => textOrNone(spec?.ingressClassName)),
    column("Hosts", hostsCell),
    column("Address", ({ status }) => (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "").join(",")),
    column("Ports", ({ spec }) => (spec?.tls?.length ? "80, 443" : "80")),
    ageColumn,
  ],
};
