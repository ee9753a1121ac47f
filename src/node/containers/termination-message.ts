// What an ended container left to say: its message file, or the end of its log when it failed without one.
import type { NodeContext } from "../node-context.ts";
import type { ContainerStatus } from "../runtime/runtime.ts";
import { MESSAGE_PATH_ANNOTATION, MESSAGE_POLICY_ANNOTATION, terminationMessageFile } from "./container-config.ts";

const MAX_MESSAGE_BYTES = 4096;
const MAX_LOG_BYTES = 2048;
const MAX_LOG_LINES = 80;

/** The message; the runtime's own when the container left none. */
export async function terminationMessage(context: NodeContext, uid: string, container: ContainerStatus): Promise<string> {
  const path = container.annotations[MESSAGE_PATH_ANNOTATION] ?? "";
  const written =
    path === "" ? undefined : await context.files.readTail(terminationMessageFile(context, uid, container), MAX_MESSAGE_BYTES);
  if (written !== undefined && written !== "") return written;
  const isFallback = container.annotations[MESSAGE_POLICY_ANNOTATION] === "FallbackToLogsOnError";
  if (!isFallback || container.exitCode === 0) return container.message;
  // Each line of the log carries a time stamp and a stream of about 40 characters.
  const log = await context.files.readTail(container.logPath, 8 * MAX_LOG_BYTES);
  return log === undefined ? container.message : logText(log);
}

/** The last lines of a log in the CRI format, without their stamps. */
function logText(log: string): string {
  let text = "";
  for (const line of log.split("\n").slice(-MAX_LOG_LINES - 1)) {
    const match = /^\S+ (?:stdout|stderr) ([FP])\S* ?(.*)$/.exec(line);
    if (match !== null) text += `${match[2]}${match[1] === "F" ? "\n" : ""}`;
  }
  return text.slice(-MAX_LOG_BYTES);
}
