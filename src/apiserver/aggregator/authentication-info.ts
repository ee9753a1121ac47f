// The config map by which extension API servers learn whose client certificates and whose word to believe.
import type { ApiHandler, ResourceCatalog } from "../../api/index.ts";
import { isAlreadyExists } from "../../machinery/index.ts";
import type { FrontProxyOptions } from "../authn/index.ts";
import { loopbackUser } from "../authz/watched-collection.ts";

export interface AuthenticationInfo {
  /** PEM. */
  readonly clientCa: string | Buffer;
  readonly frontProxy: FrontProxyOptions;
}

/** The data of kube-system/extension-apiserver-authentication. */
export function authenticationInfo({ clientCa, frontProxy }: AuthenticationInfo): Record<string, string> {
  const { ca, allowedNames, usernameHeaders, uidHeaders, groupHeaders, extraHeaderPrefixes } = frontProxy;
  return {
    "client-ca-file": String(clientCa),
    "requestheader-allowed-names": JSON.stringify(allowedNames),
    "requestheader-client-ca-file": String(ca),
    "requestheader-extra-headers-prefix": JSON.stringify(extraHeaderPrefixes),
    "requestheader-group-headers": JSON.stringify(groupHeaders),
    "requestheader-uid-headers": JSON.stringify(uidHeaders),
    "requestheader-username-headers": JSON.stringify(usernameHeaders),
  };
}

/** Writes it, or brings it up to date. */
export async function publishAuthenticationInfo(handler: ApiHandler, catalog: ResourceCatalog, info: AuthenticationInfo): Promise<void> {
  const resource = catalog.find("", "v1", "configmaps");
  if (resource === undefined) throw new Error("the catalog has no configmaps");
  const name = "extension-apiserver-authentication";
  const scope = { user: loopbackUser, resource, namespace: "kube-system", name: "", subresource: "", fieldManager: "kube-apiserver" };
  const object = { metadata: { name, namespace: "kube-system" }, data: authenticationInfo(info) };
  try {
    await handler.create(scope, object, {});
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    await handler.update({ ...scope, name }, object, {});
  }
}
