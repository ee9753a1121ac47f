// Whether someone may approve or sign certificates in a signer's name, or say how it is known: `approve`, `sign` and `attest` on
// `signers`, by the signer's name or by its whole domain.
import type { UserInfo } from "../../../api/index.ts";
import type { Authorizer } from "../../authz/authorizer.ts";

export async function mayUseSigner(
  authorizer: Authorizer,
  user: UserInfo,
  verb: "approve" | "attest" | "sign",
  signerName: string,
): Promise<boolean> {
  const [domain = ""] = signerName.split("/");
  const attributes = { user, verb, group: "certificates.k8s.io", version: "*", resource: "signers", subresource: "", namespace: "" };
  for (const name of [signerName, `${domain}/*`]) if ((await authorizer.authorize({ ...attributes, name })).allowed) return true;
  return false;
}
