// Defaults of pods' volumes and of the sources that persistent volumes share with them.
import type { DownwardAPIVolumeFile, ProjectedVolumeSource, Volume } from "../../types/core/v1.ts";
import { defaultCertificateSeconds } from "../../validation/signer.ts";
import { defaultPullPolicy } from "./image.ts";

/** 0644. */
const defaultFileMode = 0o644;

export function applyVolumeDefaults(volume: Volume): void {
  if (!hasSource(volume)) volume.emptyDir = {};
  if (volume.hostPath) volume.hostPath.type ??= "";
  if (volume.secret) volume.secret.defaultMode ??= defaultFileMode;
  if (volume.configMap) volume.configMap.defaultMode ??= defaultFileMode;
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= defaultFileMode;
    applyDownwardDefaults(volume.downwardAPI.items);
  }
  if (volume.projected) applyProjectedDefaults(volume.projected);
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  if (claim) {
    claim.volumeMode ??= "Filesystem";
    claim.resources ??= {};
  }
  if (volume.image) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference);
  applySharedSourceDefaults(volume);
}

function hasSource(volume: Volume): boolean {
  for (const key in volume) if (key !== "name" && volume[key as keyof Volume] !== undefined) return true;
  return false;
}

function applyProjectedDefaults(projected: ProjectedVolumeSource): void {
  projected.defaultMode ??= defaultFileMode;
  for (const source of projected.sources ?? []) {
    if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600;
    if (source.podCertificate) source.podCertificate.maxExpirationSeconds ??= defaultCertificateSeconds;
    if (source.downwardAPI) applyDownwardDefaults(source.downwardAPI.items);
  }
}

function applyDownwardDefaults(items: readonly DownwardAPIVolumeFile[] | undefined): void {
  for (const item of items ?? []) {
    if (item.fieldRef) item.fieldRef.apiVersion ||= "v1";
    if (item.resourceFieldRef) item.resourceFieldRef.divisor ||= "0";
  }
}

/** The sources with defaults that both pods' volumes and persistent volumes have. */
type SharedSources = Pick<Volume, "iscsi" | "rbd" | "azureDisk" | "scaleIO">;

export function applySharedSourceDefaults(
  source: SharedSources | { [K in keyof SharedSources]?: SharedSources[K] | object | undefined },
): void {
  const { iscsi, rbd, azureDisk, scaleIO } = source as SharedSources;
  if (iscsi) iscsi.iscsiInterface ||= "default";
  if (rbd) {
    rbd.pool ||= "rbd";
    rbd.user ||= "admin";
    rbd.keyring ||= "/etc/ceph/keyring";
  }
  if (azureDisk) {
    azureDisk.cachingMode ??= "ReadWrite";
    azureDisk.kind ??= "Shared";
    azureDisk.fsType ??= "ext4";
    azureDisk.readOnly ??= false;
  }
  if (scaleIO) {
    scaleIO.storageMode ||= "ThinProvisioned";
    scaleIO.fsType ||= "xfs";
  }
}
