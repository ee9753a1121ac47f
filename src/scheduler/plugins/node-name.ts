import { rejection, type ScheduledPlugin } from "../framework.ts";

const OTHER_NAME = rejection("node(s) didn't match the requested node name", { isUnresolvable: true });

/** Only the node that the pod names. */
export const nodeName: ScheduledPlugin = {
  name: "NodeName",
  wakesOn: ["NodeAdded"],
  filter: (pod, node) => (!pod.pod.spec?.nodeName || pod.pod.spec.nodeName === node.name ? undefined : OTHER_NAME),
};
