// The formats of strings that upstream knows and checks; others are ignored.

import { isIPv4, isIPv6 } from "node:net";
import { CelDuration, isValidCidr } from "../../../machinery/index.ts";

type Check = (text: string) => boolean;

const matching = (pattern: RegExp): Check => pattern.test.bind(pattern);
const hex = "[0-9a-fA-F]";
const uuid = (version: string) =>
  new RegExp(`^${hex}{8}-?${hex}{4}-?${version}${hex}{3}-?${version === hex ? hex : "[89abAB]"}${hex}{3}-?${hex}{12}$`);

function isDuration(text: string): boolean {
  try {
    CelDuration.parse(text);
    return true;
  } catch {
    return /^\d+\s*(?:ns|us|µs|ms|s|m|h|d|w|nanosecs?|microsecs?|millisecs?|seconds?|secs?|minutes?|mins?|hours?|days?|weeks?)$/.test(text);
  }
}

const isDate = (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));

const checks: Readonly<Record<string, Check>> = {
  bsonobjectid: matching(/^[0-9a-fA-F]{24}$/),
  uri: (text) => URL.canParse(text) || /^\/\S*$/.test(text),
  email: matching(/^[^\s@<>]+@[^\s@<>]+$/),
  hostname: matching(/^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9-]{1,63})*\.?$/),
  ipv4: (text) => isIPv4(text),
  ipv6: (text) => isIPv6(text),
  cidr: (text) => isValidCidr(text).length === 0,
  mac: matching(/^(?:[0-9a-fA-F]{2}[:-]){5,7}[0-9a-fA-F]{2}$|^(?:[0-9a-fA-F]{4}\.){2,3}[0-9a-fA-F]{4}$/),
  uuid: matching(uuid(hex)),
  uuid3: matching(uuid("3")),
  uuid4: matching(uuid("4")),
  uuid5: matching(uuid("5")),
  isbn: (text) => /^(?:\d{9}[\dX]|\d{13})$/.test(text.replaceAll(/[\s-]/g, "")),
  isbn10: (text) => /^\d{9}[\dX]$/.test(text.replaceAll(/[\s-]/g, "")),
  isbn13: (text) => /^\d{13}$/.test(text.replaceAll(/[\s-]/g, "")),
  creditcard: (text) => /^\d{13,19}$/.test(text.replaceAll(/[\s-]/g, "")),
  ssn: matching(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  hexcolor: matching(/^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  rgbcolor: matching(/^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$/),
  byte: matching(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/),
  date: isDate,
  datetime: matching(/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/),
  "date-time": matching(/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/),
  duration: isDuration,
};

/** Whether the text has the format; true for formats that nobody knows. */
export function hasFormat(text: string, format: string): boolean {
  return checks[format]?.(text) ?? true;
}
