// Validation of the projected sources that have to do with certificates, and of where all sources put their files.
import { certificateKeyTypes, type FieldError, field, validateLabelSelector } from "../../../machinery/index.ts";
import { trustBundleNameProblems } from "../../certificates/cluster-trust-bundle.ts";
import type { ClusterTrustBundleProjection, PodCertificateProjection, VolumeProjection } from "../../types/core/v1.ts";
import { checkLocalNonReservedPath, checkOneOf } from "../../validation/checks.ts";
import { certificateLifeRange, checkSignerName, validateUserAnnotations } from "../../validation/signer.ts";

/** The paths that a source names, each as often as it does. */
export function projectedPaths(source: VolumeProjection): readonly string[] {
  const { secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source;
  const items = [...(secret?.items ?? []), ...(configMap?.items ?? []), ...(downwardAPI?.items ?? [])].map(({ path }) => path);
  const { credentialBundlePath, keyPath, certificateChainPath } = podCertificate ?? {};
  const single = [serviceAccountToken?.path, clusterTrustBundle?.path, credentialBundlePath, keyPath, certificateChainPath];
  return [...items, ...single].filter((path) => path !== undefined).filter((path) => path !== "");
}

export function validateTrustBundleProjection(errors: FieldError[], path: string, source: ClusterTrustBundleProjection): void {
  const { name, signerName, labelSelector } = source;
  if (name !== undefined && signerName !== undefined) {
    errors.push(field.invalid(path, source, "only one of name and signerName may be used"));
  } else if (name !== undefined) {
    validateBundleName(errors, `${path}.name`, name);
    if (labelSelector !== undefined) {
      errors.push(field.invalid(`${path}.labelSelector`, labelSelector, "labelSelector must be unset if name is specified"));
    }
  } else if (signerName !== undefined) {
    if (signerName === "") errors.push(field.required(`${path}.signerName`, "must be a valid signer name"));
    checkSignerName(errors, `${path}.signerName`, signerName);
    errors.push(...validateLabelSelector(labelSelector, `${path}.labelSelector`));
  } else errors.push(field.required(path, "either name or signerName must be specified"));
  if (!source.path) errors.push(field.required(`${path}.path`));
  else checkLocalNonReservedPath(errors, `${path}.path`, source.path);
}

/** Whose bundle it is says the name: a signer's has colons where its signer has slashes. */
function validateBundleName(errors: FieldError[], path: string, name: string): void {
  if (name === "") errors.push(field.required(path, "must be a valid object name"));
  const signerName = name.slice(0, Math.max(0, name.lastIndexOf(":"))).replaceAll(":", "/");
  for (const problem of trustBundleNameProblems(name, signerName)) {
    errors.push(field.invalid(path, name, `not a valid clustertrustbundlename: ${problem}`));
  }
}

export function validateCertificateProjection(errors: FieldError[], path: string, source: PodCertificateProjection): void {
  const { keyType, signerName, maxExpirationSeconds: seconds, userAnnotations } = source;
  checkSignerName(errors, `${path}.signerName`, signerName);
  checkOneOf(errors, `${path}.keyType`, keyType ?? "", certificateKeyTypes);
  const { min, max } = certificateLifeRange(signerName ?? "");
  const lifePath = `${path}.maxExpirationSeconds`;
  if (seconds !== undefined && seconds < min) {
    errors.push(field.invalid(lifePath, seconds, `if provided, maxExpirationSeconds must be >= ${min}`));
  }
  if (seconds !== undefined && seconds > max) {
    errors.push(field.invalid(lifePath, seconds, `if provided, maxExpirationSeconds must be <= ${max}`));
  }
  errors.push(...validateUserAnnotations(userAnnotations, `${path}.userAnnotations`));
  const names = (["credentialBundlePath", "keyPath", "certificateChainPath"] as const).filter((name) => source[name]);
  if (names.length === 0) {
    errors.push(field.required(path, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"));
  }
  for (const name of names) checkLocalNonReservedPath(errors, `${path}.${name}`, source[name] ?? "");
}
