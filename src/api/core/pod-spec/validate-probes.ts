// Validation of probes and lifecycle hooks.
import { type FieldError, field, isHttpHeaderName } from "../../../machinery/index.ts";
import type { Container, HTTPGetAction, LifecycleHandler, Probe } from "../../types/core/v1.ts";
import { checkMessages, checkNotNegative, checkPortNumber, checkPortNumberOrName, checkRequiredOneOf } from "../../validation/checks.ts";

/** The pod's grace period bounds a `sleep` hook. */
export function validateProbesAndHooks(errors: FieldError[], path: string, container: Container, gracePeriodSeconds: number): void {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  if (lifecycle?.postStart) validateHook(errors, `${path}.lifecycle.postStart`, lifecycle.postStart, gracePeriodSeconds);
  if (lifecycle?.preStop) validateHook(errors, `${path}.lifecycle.preStop`, lifecycle.preStop, gracePeriodSeconds);
  if (livenessProbe) validateKillingProbe(errors, `${path}.livenessProbe`, livenessProbe);
  if (readinessProbe) {
    validateProbe(errors, `${path}.readinessProbe`, readinessProbe);
    if (readinessProbe.terminationGracePeriodSeconds !== undefined) {
      const gracePath = `${path}.readinessProbe.terminationGracePeriodSeconds`;
      errors.push(field.invalid(gracePath, readinessProbe.terminationGracePeriodSeconds, "must not be set for readinessProbes"));
    }
  }
  if (startupProbe) validateKillingProbe(errors, `${path}.startupProbe`, startupProbe);
}

/** Liveness and startup probes: their failure kills, so one success must be enough. */
function validateKillingProbe(errors: FieldError[], path: string, probe: Probe): void {
  validateProbe(errors, path, probe);
  if (probe.successThreshold !== 1) errors.push(field.invalid(`${path}.successThreshold`, probe.successThreshold ?? 0, "must be 1"));
  if (probe.terminationGracePeriodSeconds !== undefined && probe.terminationGracePeriodSeconds <= 0) {
    errors.push(field.invalid(`${path}.terminationGracePeriodSeconds`, probe.terminationGracePeriodSeconds, "must be greater than 0"));
  }
}

function validateProbe(errors: FieldError[], path: string, probe: Probe): void {
  validateHandler(errors, path, probe);
  checkNotNegative(errors, `${path}.initialDelaySeconds`, probe.initialDelaySeconds);
  checkNotNegative(errors, `${path}.timeoutSeconds`, probe.timeoutSeconds);
  checkNotNegative(errors, `${path}.periodSeconds`, probe.periodSeconds);
  checkNotNegative(errors, `${path}.successThreshold`, probe.successThreshold);
  checkNotNegative(errors, `${path}.failureThreshold`, probe.failureThreshold);
}

function validateHook(errors: FieldError[], path: string, hook: LifecycleHandler, gracePeriodSeconds: number): void {
  const isCounted = validateHandler(errors, path, hook);
  if (!hook.sleep) return;
  if (isCounted) errors.push(field.forbidden(`${path}.sleep`, "may not specify more than 1 handler type"));
  const { seconds } = hook.sleep;
  if (seconds < 0 || seconds > gracePeriodSeconds) {
    const detail = `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriodSeconds})`;
    errors.push(field.invalid(`${path}.sleep`, seconds, detail));
  }
}

/** Checks that there is one handler; answers whether there is one beside `sleep`. */
function validateHandler(errors: FieldError[], path: string, handler: Probe & LifecycleHandler): boolean {
  let count = 0;
  const counted = (name: string): boolean => {
    count++;
    if (count > 1) errors.push(field.forbidden(`${path}.${name}`, "may not specify more than 1 handler type"));
    return count === 1;
  };
  if (handler.exec && counted("exec") && !handler.exec.command?.length) errors.push(field.required(`${path}.exec.command`));
  if (handler.httpGet && counted("httpGet")) validateHttpGet(errors, `${path}.httpGet`, handler.httpGet);
  if (handler.tcpSocket && counted("tcpSocket")) checkPortNumberOrName(errors, `${path}.tcpSocket.port`, handler.tcpSocket.port);
  if (handler.grpc && counted("grpc")) checkPortNumber(errors, `${path}.grpc.port`, handler.grpc.port);
  if (count === 0 && !handler.sleep) errors.push(field.required(path, "must specify a handler type"));
  return count > 0;
}

function validateHttpGet(errors: FieldError[], path: string, action: HTTPGetAction): void {
  if (!action.path) errors.push(field.required(`${path}.path`));
  checkPortNumberOrName(errors, `${path}.port`, action.port);
  checkRequiredOneOf(errors, `${path}.scheme`, action.scheme, ["HTTP", "HTTPS"]);
  for (const header of action.httpHeaders ?? []) checkMessages(errors, `${path}.httpHeaders`, header.name, isHttpHeaderName(header.name));
}
