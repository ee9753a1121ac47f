// Validation of pods' volumes and of their mounts.
import { type FieldError, field, isConfigMapKey, isDns1123Label, quantityMilli } from "../../../machinery/index.ts";
import type { Container, DownwardAPIVolumeFile, KeyToPath, ProjectedVolumeSource, Volume, VolumeProjection } from "../../types/core/v1.ts";
import { checkLocalNonReservedPath, checkLocalPath, checkOneOf, checkRequiredName } from "../../validation/checks.ts";
import { validateFieldRef, validateResourceFieldRef, volumeFieldPaths } from "./validate-env.ts";
import { projectedPaths, validateCertificateProjection, validateTrustBundleProjection } from "./validate-projections.ts";

const hostPathTypes = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
const modeDetail = "must be a number between 0 and 0777 (octal), both inclusive";

function checkMode(errors: FieldError[], path: string, mode: number | undefined): void {
  if (mode !== undefined && !(mode >= 0 && mode <= 0o777)) errors.push(field.invalid(path, mode, modeDetail));
}

/** Answers the volumes by name, for the mounts' check. */
export function validateVolumes(errors: FieldError[], path: string, volumes: readonly Volume[] | undefined): ReadonlyMap<string, Volume> {
  const byName = new Map<string, Volume>();
  volumes?.forEach((volume, i) => {
    const itemPath = `${path}[${i}]`;
    validateSource(errors, itemPath, volume);
    const before = errors.length;
    checkRequiredName(errors, `${itemPath}.name`, volume.name, isDns1123Label);
    if (byName.has(volume.name)) errors.push(field.duplicate(`${itemPath}.name`, volume.name));
    if (errors.length === before) byName.set(volume.name, volume);
  });
  return byName;
}

type SourceName = Exclude<keyof Volume, "name">;
type SourceRule = (errors: FieldError[], path: string, volume: Volume) => void;

/** A rule that wants texts in fields of the source. */
function requires(source: SourceName, ...fields: readonly string[]): SourceRule {
  return (errors, path, volume) => {
    const values = volume[source] as Readonly<Record<string, unknown>> | undefined;
    for (const name of fields) if (!values?.[name]) errors.push(field.required(`${path}.${name}`));
  };
}

const sourceRules: Readonly<Partial<Record<SourceName, SourceRule>>> = {
  hostPath: (errors, path, { hostPath }) => {
    if (!hostPath?.path) errors.push(field.required(`${path}.path`));
    else if (hostPath.path.split("/").includes("..")) errors.push(field.invalid(`${path}.path`, hostPath.path, "must not contain '..'"));
    checkOneOf(errors, `${path}.type`, hostPath?.type, hostPathTypes);
  },
  emptyDir: (errors, path, { emptyDir }) => {
    if (emptyDir?.sizeLimit !== undefined && quantityMilli(emptyDir.sizeLimit) < 0) {
      errors.push(field.forbidden(`${path}.sizeLimit`, "SizeLimit field must be a valid resource quantity"));
    }
  },
  secret: (errors, path, { secret }) => {
    if (!secret?.secretName) errors.push(field.required(`${path}.secretName`));
    checkMode(errors, `${path}.defaultMode`, secret?.defaultMode);
    validateItems(errors, `${path}.items`, secret?.items);
  },
  configMap: (errors, path, { configMap }) => {
    if (!configMap?.name) errors.push(field.required(`${path}.name`));
    checkMode(errors, `${path}.defaultMode`, configMap?.defaultMode);
    validateItems(errors, `${path}.items`, configMap?.items);
  },
  downwardAPI: (errors, path, { downwardAPI }) => {
    checkMode(errors, `${path}.defaultMode`, downwardAPI?.defaultMode);
    validateDownwardItems(errors, path, downwardAPI?.items);
  },
  projected: (errors, path, { projected }) => {
    if (projected) validateProjected(errors, path, projected);
  },
  nfs: (errors, path, volume) => {
    requires("nfs", "server", "path")(errors, path, volume);
    if (volume.nfs?.path && !volume.nfs.path.startsWith("/")) {
      errors.push(field.invalid(`${path}.path`, volume.nfs.path, "must be an absolute path"));
    }
  },
  ephemeral: (errors, path, { ephemeral }) => {
    if (!ephemeral?.volumeClaimTemplate) errors.push(field.required(`${path}.volumeClaimTemplate`));
  },
  persistentVolumeClaim: requires("persistentVolumeClaim", "claimName"),
  csi: requires("csi", "driver"),
  iscsi: requires("iscsi", "targetPortal", "iqn"),
  gcePersistentDisk: requires("gcePersistentDisk", "pdName"),
  awsElasticBlockStore: requires("awsElasticBlockStore", "volumeID"),
  glusterfs: requires("glusterfs", "endpoints", "path"),
  rbd: requires("rbd", "image"),
  cinder: requires("cinder", "volumeID"),
  azureFile: requires("azureFile", "secretName", "shareName"),
  flexVolume: requires("flexVolume", "driver"),
  vsphereVolume: requires("vsphereVolume", "volumePath"),
  image: requires("image", "reference"),
};

function validateSource(errors: FieldError[], path: string, volume: Volume): void {
  let count = 0;
  for (const key in volume) {
    const source = key as SourceName;
    if (key === "name" || volume[source] === undefined) continue;
    count++;
    if (count > 1) errors.push(field.forbidden(`${path}.${key}`, "may not specify more than 1 volume type"));
    else sourceRules[source]?.(errors, `${path}.${key}`, volume);
  }
  if (count === 0) errors.push(field.required(path, "must specify a volume type"));
}

function validateItems(errors: FieldError[], path: string, items: readonly KeyToPath[] | undefined): void {
  items?.forEach((item, i) => {
    checkRequiredName(errors, `${path}[${i}].key`, item.key, isConfigMapKey);
    if (!item.path) errors.push(field.required(`${path}[${i}].path`));
    else checkLocalNonReservedPath(errors, `${path}[${i}].path`, item.path);
    checkMode(errors, `${path}[${i}].mode`, item.mode);
  });
}

function validateDownwardItems(errors: FieldError[], path: string, items: readonly DownwardAPIVolumeFile[] | undefined): void {
  for (const item of items ?? []) {
    if (!item.path) errors.push(field.required(`${path}.path`));
    else checkLocalNonReservedPath(errors, `${path}.path`, item.path);
    if (item.fieldRef) {
      validateFieldRef(errors, `${path}.fieldRef`, item.fieldRef, volumeFieldPaths);
      if (item.resourceFieldRef)
        errors.push(field.invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"));
    } else if (item.resourceFieldRef) {
      if (!item.resourceFieldRef.containerName) errors.push(field.required(`${path}.resourceFieldRef.containerName`));
      validateResourceFieldRef(errors, `${path}.resourceFieldRef`, item.resourceFieldRef);
    } else errors.push(field.required(path, "one of fieldRef and resourceFieldRef is required"));
    checkMode(errors, `${path}.mode`, item.mode);
  }
}

function validateProjected(errors: FieldError[], path: string, projected: ProjectedVolumeSource): void {
  checkMode(errors, `${path}.defaultMode`, projected.defaultMode);
  const paths = new Set<string>();
  projected.sources?.forEach((source, i) => {
    const itemPath = `${path}.sources[${i}]`;
    let count = 0;
    for (const key in source) {
      if (source[key as keyof VolumeProjection] === undefined) continue;
      count++;
      if (count > 1) errors.push(field.forbidden(`${itemPath}.${key}`, "may not specify more than 1 volume type"));
    }
    if (count === 1) validateProjection(errors, itemPath, source);
    for (const file of projectedPaths(source)) {
      if (paths.has(file)) errors.push(field.invalid(path, file, "conflicting duplicate paths"));
      paths.add(file);
    }
  });
}

function validateProjection(errors: FieldError[], path: string, source: VolumeProjection): void {
  const { secret, configMap, downwardAPI, serviceAccountToken: token, clusterTrustBundle, podCertificate } = source;
  if (secret) {
    if (!secret.name) errors.push(field.required(`${path}.secret.name`));
    validateItems(errors, `${path}.secret.items`, secret.items);
  }
  if (configMap) {
    if (!configMap.name) errors.push(field.required(`${path}.configMap.name`));
    validateItems(errors, `${path}.configMap.items`, configMap.items);
  }
  if (downwardAPI) validateDownwardItems(errors, `${path}.downwardAPI`, downwardAPI.items);
  if (clusterTrustBundle) validateTrustBundleProjection(errors, `${path}.clusterTrustBundle`, clusterTrustBundle);
  if (podCertificate) validateCertificateProjection(errors, `${path}.podCertificate`, podCertificate);
  if (token) {
    const seconds = token.expirationSeconds ?? 3600;
    const secondsPath = `${path}.serviceAccountToken.expirationSeconds`;
    if (seconds < 600) errors.push(field.invalid(secondsPath, seconds, "may not specify a duration less than 10 minutes"));
    if (seconds > 2 ** 32) errors.push(field.invalid(secondsPath, seconds, "may not specify a duration larger than 2^32 seconds"));
    if (!token.path) errors.push(field.required(`${path}.serviceAccountToken.path`));
    else checkLocalNonReservedPath(errors, `${path}.serviceAccountToken.path`, token.path);
  }
}

export function validateMounts(errors: FieldError[], path: string, container: Container, volumes: ReadonlyMap<string, Volume>): void {
  const paths = new Set<string>();
  const { volumeMounts, volumeDevices } = container;
  for (let i = 0; i < (volumeMounts?.length ?? 0); i++) {
    const mount = volumeMounts?.[i];
    if (!mount) continue;
    const itemPath = `${path}.volumeMounts[${i}]`;
    if (!mount.name) errors.push(field.required(`${itemPath}.name`));
    if (!volumes.has(mount.name)) errors.push(field.notFound(`${itemPath}.name`, mount.name));
    if (!mount.mountPath) errors.push(field.required(`${itemPath}.mountPath`));
    if (paths.has(mount.mountPath)) errors.push(field.invalid(`${itemPath}.mountPath`, mount.mountPath, "must be unique"));
    paths.add(mount.mountPath);
    if (mount.subPath) checkLocalPath(errors, `${itemPath}.subPath`, mount.subPath);
    if (mount.subPathExpr) {
      if (mount.subPath) {
        errors.push(field.invalid(`${itemPath}.subPathExpr`, mount.subPathExpr, "subPathExpr and subPath are mutually exclusive"));
      }
      checkLocalPath(errors, `${itemPath}.subPathExpr`, mount.subPathExpr);
    }
    if (mount.mountPropagation !== undefined) checkPropagation(errors, itemPath, mount.mountPropagation, container);
  }
  volumeDevices?.forEach((device, i) => {
    const itemPath = `${path}.volumeDevices[${i}]`;
    if (!device.name) errors.push(field.required(`${itemPath}.name`));
    if (!volumes.has(device.name)) errors.push(field.notFound(`${itemPath}.name`, device.name));
    if (!device.devicePath) errors.push(field.required(`${itemPath}.devicePath`));
    else if (paths.has(device.devicePath)) errors.push(field.invalid(`${itemPath}.devicePath`, device.devicePath, "must be unique"));
    paths.add(device.devicePath);
  });
}

function checkPropagation(errors: FieldError[], path: string, propagation: string, container: Container): void {
  checkOneOf(errors, `${path}.mountPropagation`, propagation, ["Bidirectional", "HostToContainer", "None"]);
  if (propagation === "Bidirectional" && container.securityContext?.privileged !== true) {
    errors.push(field.forbidden(`${path}.mountPropagation`, "Bidirectional mount propagation is available only to privileged containers"));
  }
}
