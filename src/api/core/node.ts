// Node: taints and CIDRs, its columns.
import { type FieldError, field, isQualifiedName, isValidCidr, isValidLabelValue, quantityMilli } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn, textOrNone, wideColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { Node, Taint } from "../types/core/v1.ts";
import { checkMessages, checkRequiredOneOf, notNegative } from "../validation/checks.ts";
import { semanticEqual } from "../validation/equal.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";

const taintEffects = ["NoExecute", "NoSchedule", "PreferNoSchedule"];
const rolePrefix = "node-role.kubernetes.io/";

function statusCell(node: Node): string {
  const states: string[] = [];
  for (const { type, status } of node.status?.conditions ?? []) if (type === "Ready") states.push(status === "True" ? type : `Not${type}`);
  if (states.length === 0) states.push("Unknown");
  if (node.spec?.unschedulable) states.push("SchedulingDisabled");
  return states.join(",");
}

function rolesCell(node: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) roles.add(key.slice(rolePrefix.length));
    else if (key === "kubernetes.io/role" && value !== "") roles.add(value);
  }
  return textOrNone([...roles].sort().join(","));
}

const addressOf = (node: Node, type: string): string =>
  textOrNone(node.status?.addresses?.find((address) => address.type === type)?.address);
const textOrUnknown = (text: string | undefined): string => text || "<unknown>";

function validateTaints(errors: FieldError[], taints: readonly Taint[] | undefined): void {
  const seen = new Set<string>();
  taints?.forEach(({ key, value = "", effect }, i) => {
    const path = `spec.taints[${i}]`;
    checkMessages(errors, `${path}.key`, key, isQualifiedName(key));
    const messages = isValidLabelValue(value);
    if (messages.length > 0) errors.push(field.invalid(`${path}.value`, value, messages.join(";")));
    checkRequiredOneOf(errors, `${path}.effect`, effect, taintEffects);
    if (seen.has(`${key}:${effect}`)) {
      errors.push({ ...field.duplicate(path, { key, value, effect }), detail: "taints must be unique by key and effect pair" });
    }
    seen.add(`${key}:${effect}`);
  });
}

function validate(node: Node): FieldError[] {
  const errors: FieldError[] = [];
  validateTaints(errors, node.spec?.taints);
  node.spec?.podCIDRs?.forEach((cidr, i) => {
    checkMessages(errors, `spec.podCIDRs[${i}]`, cidr, isValidCidr(cidr));
  });
  for (const list of ["capacity", "allocatable"] as const) {
    const quantities = node.status?.[list];
    for (const name in quantities) {
      const quantity = quantities[name] ?? "0";
      if (quantityMilli(quantity) < 0) errors.push(field.invalid(`status.${list}[${name}]`, quantity, notNegative));
    }
  }
  return errors;
}

function validateUpdate(node: Node, old: Node): FieldError[] {
  const errors: FieldError[] = [];
  const { podCIDRs: oldCidrs = [], providerID: oldProvider = "" } = old.spec ?? {};
  const { podCIDRs = [], providerID = "" } = node.spec ?? {};
  if (oldCidrs.length > 0 && !semanticEqual(podCIDRs, oldCidrs)) {
    errors.push(field.forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'));
  }
  if (oldProvider !== "" && providerID !== oldProvider) {
    errors.push(field.forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid'));
  }
  return errors;
}

export const nodeStrategy: KindStrategy<Node> = {
  applyDefaults({ spec, status }) {
    if (spec?.podCIDR && !spec.podCIDRs?.length) spec.podCIDRs = [spec.podCIDR];
    else if (spec && !spec.podCIDR && spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0];
    if (status?.capacity && !status.allocatable) status.allocatable = status.capacity;
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate,
  validateUpdate,
  columns: [
    nameColumn,
    column("Status", statusCell),
    column("Roles", rolesCell),
    ageColumn,
    column("Version", (node) => node.status?.nodeInfo?.kubeletVersion ?? ""),
    wideColumn("Internal-IP", (node) => addressOf(node, "InternalIP")),
    wideColumn("External-IP", (node) => addressOf(node, "ExternalIP")),
    wideColumn("OS-Image", (node) => textOrUnknown(node.status?.nodeInfo?.osImage)),
    wideColumn("Kernel-Version", (node) => textOrUnknown(node.status?.nodeInfo?.kernelVersion)),
    wideColumn("Container-Runtime", (node) => textOrUnknown(node.status?.nodeInfo?.containerRuntimeVersion)),
  ],
  selectableFields: { "spec.unschedulable": (node) => String(node.spec?.unschedulable ?? false) },
};
