// The Logger of src/base on pino: one JSON object a line.
import { destination, type Logger as PinoLogger, pino, stdSerializers } from "pino";
import type { LogFields, Logger } from "../../base/index.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Where the lines go; standard output when it is left out. */
  readonly file?: string;
  /** The component that speaks: `server`, `agent`. */
  readonly name: string;
}

/** Lines are written at once, so that none is lost when the process is killed. */
export function createLogger(options: LoggerOptions): Logger {
  const target =
    options.file === undefined ? destination({ dest: 1, sync: true }) : destination({ dest: options.file, sync: true, mkdir: true });
  // What cannot be written, as on a full disk, is lost: no reason to end.
  target.on("error", () => undefined);
  const { name, level } = options;
  return adapt(pino({ name, level, base: { name }, serializers: { error: stdSerializers.err } }, target));
}

function adapt(logger: PinoLogger): Logger {
  return {
    debug: (message: string, fields?: LogFields) => logger.debug(fields ?? {}, message),
    info: (message: string, fields?: LogFields) => logger.info(fields ?? {}, message),
    warn: (message: string, fields?: LogFields) => logger.warn(fields ?? {}, message),
    error: (message: string, fields?: LogFields) => logger.error(fields ?? {}, message),
    child: (fields: LogFields) => adapt(logger.child(fields)),
  };
}
