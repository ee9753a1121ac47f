// Defaults of containers: pull policy, termination message, ports, probes, hooks, requests from limits.
import type {
  Container,
  ContainerPort,
  EnvVar,
  HTTPGetAction,
  LifecycleHandler,
  Probe,
  ResourceRequirements,
} from "../../types/core/v1.ts";
import { defaultPullPolicy } from "./image.ts";

/** What a container and an ephemeral container share. */
export function applyContainerDefaults(container: Container): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image);
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  // Upstream's encoder never leaves the struct out.
  container.resources ??= {};
  if (container.ports) for (const port of container.ports) port.protocol ||= "TCP";
  if (container.env) for (const variable of container.env) applyEnvDefaults(variable);
  if (container.livenessProbe) applyProbeDefaults(container.livenessProbe);
  if (container.readinessProbe) applyProbeDefaults(container.readinessProbe);
  if (container.startupProbe) applyProbeDefaults(container.startupProbe);
  if (container.lifecycle?.postStart) applyHandlerDefaults(container.lifecycle.postStart);
  if (container.lifecycle?.preStop) applyHandlerDefaults(container.lifecycle.preStop);
}

function applyEnvDefaults(variable: EnvVar): void {
  const source = variable.valueFrom;
  if (!source) return;
  if (source.fieldRef) source.fieldRef.apiVersion ||= "v1";
  if (source.resourceFieldRef) source.resourceFieldRef.divisor ||= "0";
}

function applyProbeDefaults(probe: Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  applyHandlerDefaults(probe);
  if (probe.grpc) probe.grpc.service ??= "";
}

function applyHandlerDefaults(handler: LifecycleHandler | Probe): void {
  if (handler.httpGet) applyHttpGetDefaults(handler.httpGet);
}

function applyHttpGetDefaults(action: HTTPGetAction): void {
  action.path ||= "/";
  action.scheme ||= "HTTP";
}

/** A limit without a request is also the request. Only pods get this, not templates. */
export function applyRequestsFromLimits(resources: ResourceRequirements | undefined): void {
  if (!resources?.limits) return;
  resources.requests ??= {};
  for (const name in resources.limits) resources.requests[name] ??= resources.limits[name] ?? "0";
}

/** In the host's network a container's port is the host's port. */
export function applyHostNetworkPorts(ports: readonly ContainerPort[] | undefined): void {
  if (ports) for (const port of ports) if (port.containerPort) port.hostPort ||= port.containerPort;
}
