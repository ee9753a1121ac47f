// The signals by which a container may ask to be stopped.
import { type FieldError, field } from "../../../machinery/index.ts";
import { checkOneOf } from "../../validation/checks.ts";

const LINUX_SIGNALS: readonly string[] = [
  ...["ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL", "PROF"],
  ...["PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2"],
  ...["VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX"],
  ...Array.from({ length: 15 }, (_, index) => `RTMIN+${index + 1}`),
  ...Array.from({ length: 14 }, (_, index) => `RTMAX-${index + 1}`),
].map((name) => `SIG${name}`);
const WINDOWS_SIGNALS: readonly string[] = ["SIGKILL", "SIGTERM"];

/** Which signals there are depends on the system, so the pod must say which one it is for. */
export function validateStopSignal(errors: FieldError[], path: string, stopSignal: string, osName: string | undefined): void {
  if (!osName) errors.push(field.forbidden(path, "may not be set for containers with empty `spec.os.name`"));
  else checkOneOf(errors, path, stopSignal, osName === "windows" ? WINDOWS_SIGNALS : LINUX_SIGNALS);
}
