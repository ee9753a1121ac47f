// Names and other short texts: which are valid, and upstream's message for those that are not. Every `is…` function
// answers a list of messages, empty for a valid text.
import { isIPv4, isIPv6 } from "node:net";

function maxLength(length: number): string {
  return `must be no more than ${length} bytes`;
}

function regexMessage(message: string, format: string, ...examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${format}')`;
  // The two spaces are upstream's.
  return `${message} (e.g. ${examples.map((example) => `'${example}', `).join(" or ")}regex used for validation is '${format}')`;
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** A rule made of a maximal length and a pattern; the pattern covers the whole text. */
interface PatternRule {
  readonly maxBytes: number;
  readonly pattern: RegExp;
  readonly message: string;
}

function patternRule(maxBytes: number, format: string, message: string, ...examples: string[]): PatternRule {
  return { maxBytes, pattern: new RegExp(`^(?:${format})$`), message: regexMessage(message, format, ...examples) };
}

/** Patterns are of ASCII characters: of a text that matches each takes one byte. */
function obeys({ maxBytes, pattern }: PatternRule, text: string): boolean {
  return text.length <= maxBytes && pattern.test(text);
}

function check(rule: PatternRule, text = ""): string[] {
  if (obeys(rule, text)) return [];
  const messages: string[] = [];
  if (byteLength(text) > rule.maxBytes) messages.push(maxLength(rule.maxBytes));
  if (!rule.pattern.test(text)) messages.push(rule.message);
  return messages;
}

const labelFormat = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomainFormat = `${labelFormat}(\\.${labelFormat})*`;
const qualifiedFormat = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const unlimited = Number.MAX_SAFE_INTEGER;

const dns1123Label = patternRule(
  63,
  labelFormat,
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  "my-name",
  "123-abc",
);
const dns1123Subdomain = patternRule(
  253,
  subdomainFormat,
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  "example.com",
);
const dns1035Label = patternRule(
  63,
  "[a-z]([-a-z0-9]*[a-z0-9])?",
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  "my-name",
  "abc-123",
);
const wildcardSubdomain = patternRule(
  253,
  `\\*\\.${subdomainFormat}`,
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  "*.example.com",
);
const qualifiedName = patternRule(
  63,
  qualifiedFormat,
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  "MyName",
  "my.name",
  "123-abc",
);
const labelValue = patternRule(
  63,
  `(${qualifiedFormat})?`,
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  "MyValue",
  "my_value",
  "12345",
);
const configMapKey = patternRule(
  253,
  "[-._a-zA-Z0-9]+",
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  "key.name",
  "KEY_NAME",
  "key-name",
);
const strictEnvVarName = patternRule(
  unlimited,
  "[-._a-zA-Z][-._a-zA-Z0-9]*",
  "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
  "my.env-name",
  "MY_ENV.NAME",
  "MyEnvName1",
);
const cIdentifier = patternRule(
  unlimited,
  "[A-Za-z_][A-Za-z0-9_]*",
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  "my_name",
  "MY_NAME",
  "MyName",
);
const percent = patternRule(unlimited, "[0-9]+%", "a valid percent string must be a numeric string followed by an ending '%'", "1%", "93%");
const httpHeader = patternRule(
  unlimited,
  "[-A-Za-z0-9]+",
  "a valid HTTP header must consist of alphanumeric characters or '-'",
  "X-Header-Name",
);

export function isDns1123Label(text: string): string[] {
  if (obeys(dns1123Label, text)) return [];
  const messages: string[] = [];
  if (byteLength(text) > dns1123Label.maxBytes) messages.push(maxLength(dns1123Label.maxBytes));
  // A subdomain that is no label can only be wrong in its dots.
  if (!dns1123Label.pattern.test(text)) {
    messages.push(dns1123Subdomain.pattern.test(text) ? "must not contain dots" : dns1123Label.message);
  }
  return messages;
}

export const isDns1123Subdomain = (text: string): string[] => check(dns1123Subdomain, text);
export const isDns1035Label = (text: string): string[] => check(dns1035Label, text);
export const isWildcardDns1123Subdomain = (text: string): string[] => check(wildcardSubdomain, text);
export const isValidLabelValue = (text: string): string[] => check(labelValue, text);
export const isCIdentifier = (text: string): string[] => check(cIdentifier, text);
export const isValidPercent = (text: string): string[] => check(percent, text);
export const isHttpHeaderName = (text: string): string[] => check(httpHeader, text);

/** `name`, or `prefix/name` with a DNS subdomain as prefix: keys of labels, annotations and resources. */
export function isQualifiedName(text = ""): string[] {
  const slash = text.indexOf("/");
  const isValid = obeys(qualifiedName, text.slice(slash + 1)) && (slash < 0 || obeys(dns1123Subdomain, text.slice(0, slash)));
  return isValid ? [] : qualifiedNameMessages(text);
}

function qualifiedNameMessages(text: string): string[] {
  const messages: string[] = [];
  const parts = text.split("/");
  if (parts.length > 2) {
    return [`a qualified name ${qualifiedName.message} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const [prefix, name] = parts.length === 2 ? [parts[0], parts[1] ?? ""] : [undefined, text];
  if (prefix === "") messages.push("prefix part must be non-empty");
  else if (prefix !== undefined) messages.push(...isDns1123Subdomain(prefix).map((message) => `prefix part ${message}`));
  if (name === "") messages.push("name part must be non-empty");
  messages.push(...check(qualifiedName, name).map((message) => `name part ${message}`));
  return messages;
}

/** Texts that would leave a directory when used as a file name. */
function directoryChange(text: string): string[] {
  if (text === ".") return ["must not be '.'"];
  if (text === "..") return ["must not be '..'"];
  return text.startsWith("..") ? ["must not start with '..'"] : [];
}

export function isConfigMapKey(text: string): string[] {
  return [...check(configMapKey, text), ...directoryChange(text)];
}

/** The name of a container's environment variable: printable ASCII without `=`. */
export function isEnvVarName(text: string): string[] {
  const messages = text === "" ? ["environment variable name must be non-empty"] : [];
  if (!/^[ -<>-~]*$/.test(text)) {
    messages.push("a valid environment variable name must consist only of printable ASCII characters other than '='");
  }
  return messages;
}

/** The rule for variable names before upstream relaxed it. */
export function isStrictEnvVarName(text: string): string[] {
  return [...check(strictEnvVarName, text), ...directoryChange(text)];
}

/** The name of a port (IsValidPortName upstream). */
export function isIanaServiceName(text: string): string[] {
  const messages: string[] = [];
  if (byteLength(text) > 15) messages.push(maxLength(15));
  if (!/^[-a-z0-9]+$/.test(text)) messages.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(text)) messages.push("must contain at least one letter (a-z)");
  if (text.includes("--")) messages.push("must not contain consecutive hyphens");
  if (text.startsWith("-") || text.endsWith("-")) messages.push("must not begin or end with a hyphen");
  return messages;
}

export function isValidPortNumber(port: number): string[] {
  return port >= 1 && port <= 65535 ? [] : ["must be between 1 and 65535, inclusive"];
}

export function isValidIp(text: string): string[] {
  return isIPv4(text) || isIpv6WithoutZone(text) ? [] : ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"];
}

/** Go's parser, and so upstream, refuses zones. */
function isIpv6WithoutZone(text: string): boolean {
  return isIPv6(text) && !text.includes("%");
}

export function isValidCidr(text: string): string[] {
  const slash = text.indexOf("/");
  const address = text.slice(0, slash);
  const bits = text.slice(slash + 1);
  const maxBits = isIPv4(address) ? 32 : isIpv6WithoutZone(address) ? 128 : -1;
  const isValid = slash > 0 && /^[0-9]{1,3}$/.test(bits) && Number(bits) <= maxBits;
  return isValid ? [] : ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"];
}
