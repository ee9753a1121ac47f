export { type PodGcOptions, podGcController } from "./pod-gc-controller.ts";
