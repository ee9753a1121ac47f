// The checks that the level `restricted` adds: pods say themselves that they give up what they do not need.
// @see https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
import { badSeccompProfile } from "./baseline-checks.ts";
import {
  type AnyContainer,
  type Check,
  containersOf,
  hasUserNamespace,
  isWindows,
  namesOf,
  plural,
  quoted,
  settersOf,
  sorted,
} from "./check.ts";

const allowPrivilegeEscalation: Check = {
  id: "allowPrivilegeEscalation",
  since: 8,
  violation(pod) {
    if (isWindows(pod)) return undefined;
    const bad = containersOf(pod).filter(({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
    if (bad.length === 0) return undefined;
    const detail = `${namesOf(bad)} must set securityContext.allowPrivilegeEscalation=false`;
    return { reason: "allowPrivilegeEscalation != false", detail };
  },
};

const capabilitiesRestricted: Check = {
  id: "capabilities_restricted",
  since: 22,
  overrides: ["capabilities_baseline"],
  violation(pod) {
    if (isWindows(pod)) return undefined;
    const containers = containersOf(pod);
    const added = ({ securityContext }: AnyContainer) =>
      (securityContext?.capabilities?.add ?? []).filter((name) => name !== "NET_BIND_SERVICE");
    const keeping = containers.filter(({ securityContext }) => securityContext?.capabilities?.drop?.includes("ALL") !== true);
    const adding = containers.filter((container) => added(container).length > 0);
    const details = [
      ...(keeping.length > 0 ? [`${namesOf(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
      ...(adding.length > 0
        ? [`${namesOf(adding)} must not include ${quoted(sorted(adding.flatMap(added)))} in securityContext.capabilities.add`]
        : []),
    ];
    return details.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: details.join("; ") };
  },
};

const allowedVolumes = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);

const restrictedVolumes: Check = {
  id: "restrictedVolumes",
  overrides: ["hostPathVolumes"],
  violation({ spec }) {
    const typeOf = (volume: object) => Object.keys(volume).find((key) => key !== "name") ?? "unknown";
    const bad = (spec.volumes ?? []).filter((volume) => !allowedVolumes.has(typeOf(volume)));
    if (bad.length === 0) return undefined;
    const types = sorted(bad.map(typeOf));
    const names = `${plural(bad.length, "volume", "volumes")} ${quoted(bad.map(({ name }) => name))}`;
    const what = plural(types.length, "restricted volume type", "restricted volume types");
    return { reason: "restricted volume types", detail: `${names} ${plural(bad.length, "uses", "use")} ${what} ${quoted(types)}` };
  },
};

const runAsNonRoot: Check = {
  id: "runAsNonRoot",
  violation(pod) {
    if (hasUserNamespace(pod)) return undefined;
    const reason = "runAsNonRoot != true";
    const ofPod = pod.spec.securityContext?.runAsNonRoot;
    const containers = containersOf(pod);
    const refusing = containers.filter(({ securityContext }) => securityContext?.runAsNonRoot === false);
    const setters = settersOf(ofPod === false, refusing);
    if (setters !== undefined) return { reason, detail: `${setters} must not set securityContext.runAsNonRoot=false` };
    const silent = containers.filter(({ securityContext }) => securityContext?.runAsNonRoot === undefined);
    if (ofPod === true || silent.length === 0) return undefined;
    return { reason, detail: `pod or ${namesOf(silent)} must set securityContext.runAsNonRoot=true` };
  },
};

const runAsUser: Check = {
  id: "runAsUser",
  since: 23,
  violation(pod) {
    if (hasUserNamespace(pod)) return undefined;
    const roots = containersOf(pod).filter(({ securityContext }) => securityContext?.runAsUser === 0);
    const setters = settersOf(pod.spec.securityContext?.runAsUser === 0, roots);
    return setters === undefined ? undefined : { reason: "runAsUser=0", detail: `${setters} must not set runAsUser=0` };
  },
};

const seccompProfileRestricted: Check = {
  id: "seccompProfile_restricted",
  since: 19,
  overrides: ["seccompProfile_baseline"],
  violation(pod) {
    if (isWindows(pod)) return undefined;
    const bad = badSeccompProfile(pod);
    if (bad !== undefined || pod.spec.securityContext?.seccompProfile !== undefined) return bad;
    const silent = containersOf(pod).filter(({ securityContext }) => securityContext?.seccompProfile === undefined);
    if (silent.length === 0) return undefined;
    const detail = `pod or ${namesOf(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`;
    return { reason: "seccompProfile", detail };
  },
};

export const restrictedChecks: readonly Check[] = [
  allowPrivilegeEscalation,
  capabilitiesRestricted,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompProfileRestricted,
];
