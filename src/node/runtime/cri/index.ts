export { CriRuntime, type CriRuntimeOptions } from "./cri-runtime.ts";
