// Validation of containers' requests and limits.
import {
  amountOf,
  type FieldError,
  field,
  isQualifiedName,
  QuantityError,
  quantityMilli,
  quantityValue,
} from "../../../machinery/index.ts";
import type { ResourceRequirements } from "../../types/core/v1.ts";
import { checkMessages, notNegative } from "../../validation/checks.ts";

const standardContainerResources = new Set(["cpu", "memory", "ephemeral-storage"]);
const integerResources = new Set(["pods", "services", "resourcequotas", "replicationcontrollers", "secrets", "configmaps"]);

const isHugePages = (name: string): boolean => name.startsWith("hugepages-");
const isNative = (name: string): boolean => !name.includes("/") || name.includes("kubernetes.io/");

/** Resources that devices provide: `vendor.example/thing`. */
export function isExtendedResource(name: string): boolean {
  return !isNative(name) && !name.startsWith("requests.") && isQualifiedName(`requests.${name}`).length === 0;
}

const canOvercommit = (name: string): boolean => isNative(name) && !isHugePages(name);

function checkResourceName(errors: FieldError[], path: string, name: string): void {
  if (standardContainerResources.has(name)) return;
  const messages = isQualifiedName(name);
  checkMessages(errors, path, name, messages);
  if (messages.length > 0 || isHugePages(name)) return;
  if (!name.includes("/")) errors.push(field.invalid(path, name, "must be a standard resource for containers"));
  else if (isNative(name) && !name.startsWith("kubernetes.io/")) return;
  else if (!isNative(name) && !isExtendedResource(name)) {
    errors.push(field.invalid(path, name, "doesn't follow extended resource name standard"));
  }
}

/** A quantity of a resource: not negative, whole where it counts things. */
export function checkQuantity(errors: FieldError[], path: string, name: string, quantity: string): void {
  const milli = quantityMilli(quantity);
  if (milli < 0) errors.push(field.invalid(path, quantity, notNegative));
  if ((integerResources.has(name) || isExtendedResource(name)) && milli % 1000 !== 0) {
    errors.push(field.invalid(path, quantity, "must be an integer"));
  }
}

export function validateResources(errors: FieldError[], path: string, resources: ResourceRequirements | undefined): void {
  if (!resources) return;
  const { limits, requests } = resources;
  for (const name in limits) {
    const keyPath = `${path}.limits[${name}]`;
    checkResourceName(errors, `${path}.limits`, name);
    checkQuantity(errors, keyPath, name, limits[name] ?? "0");
    if (isHugePages(name)) checkPages(errors, keyPath, name, limits[name] ?? "0");
  }
  for (const name in requests) {
    const request = requests[name] ?? "0";
    checkResourceName(errors, `${path}.requests`, name);
    checkQuantity(errors, `${path}.requests[${name}]`, name, request);
    if (isHugePages(name)) checkPages(errors, `${path}.requests[${name}]`, name, request);
    checkRequestAgainstLimit(errors, path, { name, request, limit: amountOf(limits, name) });
  }
  const names = Object.keys({ ...limits, ...requests });
  if (names.some(isHugePages) && !names.includes("cpu") && !names.includes("memory")) {
    errors.push(field.forbidden(path, "HugePages require cpu or memory"));
  }
}

/** Of `hugepages-2Mi` only whole pages can be had. */
function checkPages(errors: FieldError[], path: string, name: string, quantity: string): void {
  const pageBytes = bytesOf(name.slice("hugepages-".length));
  if (pageBytes > 0 && quantityValue(quantity) % pageBytes === 0) return;
  errors.push(field.invalid(path, quantity, `${quantity} is not positive integer multiple of ${name}`));
}

/** 0 for what is no quantity. */
function bytesOf(text: string): number {
  try {
    return quantityValue(text);
  } catch (error) {
    if (error instanceof QuantityError) return 0;
    throw error;
  }
}

function checkRequestAgainstLimit(
  errors: FieldError[],
  path: string,
  { name, request, limit }: { readonly name: string; readonly request: string; readonly limit: string | undefined },
): void {
  if (limit === undefined) {
    if (!canOvercommit(name)) errors.push(field.required(`${path}.limits`, "Limit must be set for non overcommitable resources"));
    return;
  }
  if (request === limit) return;
  const requestMilli = quantityMilli(request);
  const limitMilli = quantityMilli(limit);
  if (!canOvercommit(name) && requestMilli !== limitMilli) {
    errors.push(field.invalid(`${path}.requests`, request, `must be equal to ${name} limit of ${limit}`));
  } else if (requestMilli > limitMilli) {
    errors.push(field.invalid(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`));
  }
}
