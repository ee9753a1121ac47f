// The default storage class: directories on the nodes.
import { resources } from "../../api/index.ts";
import type { Client } from "../../client/index.ts";
import { LOCAL_PATH_PROVISIONER } from "../../controllers/index.ts";
import { isAlreadyExists } from "../../machinery/index.ts";

/** Makes the storage class local-path unless it exists; what became of an existing one stays. */
export async function ensureLocalPathClass(client: Client, signal: AbortSignal): Promise<void> {
  const storageClass = {
    metadata: { name: "local-path", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: LOCAL_PATH_PROVISIONER,
    reclaimPolicy: "Delete",
    volumeBindingMode: "WaitForFirstConsumer",
  };
  try {
    await client.create(resources.storageclasses, storageClass, { signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
