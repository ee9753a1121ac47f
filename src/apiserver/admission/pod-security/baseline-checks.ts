// The checks of the level `baseline`: what would give a pod hold of its host.
// @see https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
import type { LifecycleHandler, Probe, SELinuxOptions } from "../../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";
import {
  type AnyContainer,
  type Check,
  type CheckedPod,
  containersOf,
  hasUserNamespace,
  namesOf,
  plural,
  quoted,
  settersOf,
  sorted,
  type Violation,
} from "./check.ts";

const appArmorProfile: Check = {
  id: "appArmorProfile",
  violation(pod) {
    const forbidden = (type: string | undefined) => type !== undefined && type !== "RuntimeDefault" && type !== "Localhost";
    const podType = pod.spec.securityContext?.appArmorProfile?.type;
    const bad = containersOf(pod).filter(({ securityContext }) => forbidden(securityContext?.appArmorProfile?.type));
    const values = sorted(
      [podType, ...bad.map(({ securityContext }) => securityContext?.appArmorProfile?.type)].filter(forbidden).map(String),
    );
    const setters = settersOf(forbidden(podType), bad);
    const details = [...(setters === undefined ? [] : [`${setters} must not set AppArmor profile type to ${quoted(values)}`])];
    const annotations = Object.entries(pod.annotations).filter(
      ([key, value]) =>
        key.startsWith("container.apparmor.security.beta.kubernetes.io/") && !/^(|runtime\/default|localhost\/.*)$/.test(value),
    );
    if (annotations.length > 0) details.push(sorted(annotations.map(([key, value]) => `${key}=${JSON.stringify(value)}`)).join(", "));
    if (details.length === 0) return undefined;
    const count = values.length + annotations.length;
    return { reason: plural(count, "forbidden AppArmor profile", "forbidden AppArmor profiles"), detail: details.join(" and ") };
  },
};

const defaultCapabilities = new Set(
  "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split(" "),
);

const capabilitiesBaseline: Check = {
  id: "capabilities_baseline",
  violation(pod) {
    const added = ({ securityContext }: AnyContainer) =>
      (securityContext?.capabilities?.add ?? []).filter((name) => !defaultCapabilities.has(name));
    const bad = containersOf(pod).filter((container) => added(container).length > 0);
    if (bad.length === 0) return undefined;
    const names = quoted(sorted(bad.flatMap(added)));
    return { reason: "non-default capabilities", detail: `${namesOf(bad)} must not include ${names} in securityContext.capabilities.add` };
  },
};

const hostNamespaces: Check = {
  id: "hostNamespaces",
  violation({ spec }) {
    const used = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((name) => spec[name] === true);
    return used.length === 0 ? undefined : { reason: "host namespaces", detail: used.map((name) => `${name}=true`).join(", ") };
  },
};

const hostPathVolumes: Check = {
  id: "hostPathVolumes",
  violation({ spec }) {
    const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name);
    if (names.length === 0) return undefined;
    return { reason: "hostPath volumes", detail: `${plural(names.length, "volume", "volumes")} ${quoted(names)}` };
  },
};

const hostPorts: Check = {
  id: "hostPorts",
  violation(pod) {
    const portsOf = ({ ports = [] }: AnyContainer) => ports.flatMap(({ hostPort = 0 }) => (hostPort === 0 ? [] : [String(hostPort)]));
    const bad = containersOf(pod).filter((container) => portsOf(container).length > 0);
    if (bad.length === 0) return undefined;
    const ports = sorted(bad.flatMap(portsOf));
    const verb = plural(bad.length, "uses", "use");
    return { reason: "hostPort", detail: `${namesOf(bad)} ${verb} ${plural(ports.length, "hostPort", "hostPorts")} ${ports.join(", ")}` };
  },
};

const hostProbes: Check = {
  id: "hostProbesAndHostLifecycle",
  since: 34,
  violation(pod) {
    const hostsOf = (handler: DeepReadonly<Probe | LifecycleHandler> | undefined) =>
      [handler?.httpGet?.host ?? "", handler?.tcpSocket?.host ?? ""].filter((host) => host !== "");
    const allOf = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: AnyContainer) =>
      [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap(hostsOf);
    const bad = containersOf(pod).filter((container) => allOf(container).length > 0);
    if (bad.length === 0) return undefined;
    const hosts = sorted(bad.flatMap(allOf));
    const what = plural(hosts.length, "probe or lifecycle host", "probe or lifecycle hosts");
    const detail = `${namesOf(bad)} ${plural(bad.length, "uses", "use")} ${what} ${quoted(hosts)}`;
    return { reason: "probe or lifecycle host", detail };
  },
};

const privileged: Check = {
  id: "privileged",
  violation(pod) {
    const bad = containersOf(pod).filter(({ securityContext }) => securityContext?.privileged === true);
    return bad.length === 0 ? undefined : { reason: "privileged", detail: `${namesOf(bad)} must not set securityContext.privileged=true` };
  },
};

const procMount: Check = {
  id: "procMount",
  violation(pod) {
    if (hasUserNamespace(pod)) return undefined;
    const bad = containersOf(pod).filter(({ securityContext }) => (securityContext?.procMount ?? "Default") !== "Default");
    if (bad.length === 0) return undefined;
    const values = quoted(sorted(bad.map(({ securityContext }) => securityContext?.procMount ?? "")));
    return { reason: "procMount", detail: `${namesOf(bad)} must not set securityContext.procMount to ${values}` };
  },
};

const seLinuxTypes = new Set(["", "container_t", "container_init_t", "container_kvm_t"]);

const seLinuxOptions: Check = {
  id: "seLinuxOptions",
  violation(pod) {
    const allowsType = (type: string) => seLinuxTypes.has(type) || (type === "container_engine_t" && pod.version >= 31);
    const isBad = (options: DeepReadonly<SELinuxOptions> | undefined) =>
      options !== undefined && (!allowsType(options.type ?? "") || Boolean(options.user) || Boolean(options.role));
    const ofPod = pod.spec.securityContext?.seLinuxOptions;
    const bad = containersOf(pod).filter(({ securityContext }) => isBad(securityContext?.seLinuxOptions));
    const setters = settersOf(isBad(ofPod), bad);
    if (setters === undefined) return undefined;
    const all = [ofPod, ...bad.map(({ securityContext }) => securityContext?.seLinuxOptions)];
    const types = sorted(all.map((options) => options?.type ?? "").filter((type) => !allowsType(type)));
    const details = [
      ...(types.length > 0 ? [`${plural(types.length, "type", "types")} ${quoted(types)}`] : []),
      ...(all.some((options) => options?.user) ? ["user may not be set"] : []),
      ...(all.some((options) => options?.role) ? ["role may not be set"] : []),
    ];
    return { reason: "seLinuxOptions", detail: `${setters} set forbidden securityContext.seLinuxOptions: ${details.join("; ")}` };
  },
};

/** Who set a seccomp profile that confines nothing, and what is to be said of it. */
export function badSeccompProfile(pod: CheckedPod): Violation | undefined {
  const isBad = (type: string | undefined) => type !== undefined && type !== "RuntimeDefault" && type !== "Localhost";
  const podType = pod.spec.securityContext?.seccompProfile?.type;
  const bad = containersOf(pod).filter(({ securityContext }) => isBad(securityContext?.seccompProfile?.type));
  const setters = settersOf(isBad(podType), bad);
  if (setters === undefined) return undefined;
  const values = [podType, ...bad.map(({ securityContext }) => securityContext?.seccompProfile?.type)].filter(isBad).map(String);
  return { reason: "seccompProfile", detail: `${setters} must not set securityContext.seccompProfile.type to ${quoted(sorted(values))}` };
}

/** Fields are checked since 1.19, annotations before; nothing reads these annotations any more. */
const seccompProfileBaseline: Check = { id: "seccompProfile_baseline", since: 19, violation: badSeccompProfile };

/** Safe sysctls, by the minor version since which they count as such. */
const safeSysctls: Readonly<Record<string, number>> = {
  "kernel.shm_rmid_forced": 0,
  "net.ipv4.ip_local_port_range": 0,
  "net.ipv4.tcp_syncookies": 0,
  "net.ipv4.ping_group_range": 0,
  "net.ipv4.ip_unprivileged_port_start": 0,
  "net.ipv4.ip_local_reserved_ports": 27,
  "net.ipv4.tcp_keepalive_time": 29,
  "net.ipv4.tcp_fin_timeout": 29,
  "net.ipv4.tcp_keepalive_intvl": 29,
  "net.ipv4.tcp_keepalive_probes": 29,
  "net.ipv4.tcp_rmem": 32,
  "net.ipv4.tcp_wmem": 32,
};

const sysctls: Check = {
  id: "sysctls",
  violation({ spec, version }) {
    const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name);
    const bad = names.filter((name) => (safeSysctls[name] ?? Number.POSITIVE_INFINITY) > version);
    return bad.length === 0 ? undefined : { reason: "forbidden sysctls", detail: bad.join(", ") };
  },
};

const windowsHostProcess: Check = {
  id: "windowsHostProcess",
  violation(pod) {
    const bad = containersOf(pod).filter(({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true);
    const setters = settersOf(pod.spec.securityContext?.windowsOptions?.hostProcess === true, bad);
    if (setters === undefined) return undefined;
    return { reason: "hostProcess", detail: `${setters} must not set securityContext.windowsOptions.hostProcess=true` };
  },
};

export const baselineChecks: readonly Check[] = [
  appArmorProfile,
  capabilitiesBaseline,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbes,
  privileged,
  procMount,
  seLinuxOptions,
  seccompProfileBaseline,
  sysctls,
  windowsHostProcess,
];
