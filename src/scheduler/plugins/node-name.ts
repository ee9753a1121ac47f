import { wakesOn } from "../framework/events.ts";
import { type Plugin, rejection } from "../framework/plugin.ts";

const OTHER_NAME = rejection("node(s) didn't match the requested node name", { isUnresolvable: true });

/** Only the node that the pod names. */
export const nodeName: Plugin = {
  name: "NodeName",
  wakesOn: wakesOn("NodeAdd"),
  reads: ({ pod }) => pod.spec?.nodeName,
  filter: ({ pod }, node) => (!pod.spec?.nodeName || pod.spec.nodeName === node.name ? undefined : OTHER_NAME),
};
