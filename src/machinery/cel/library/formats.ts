// Named formats: `format.dns1123Label().validate(text)` gives the problems of a text, or nothing.
import { isDns1035Label, isDns1123Label, isDns1123Subdomain, isQualifiedName, isValidLabelValue } from "../../names.ts";
import { type Overload, overload } from "../functions.ts";
import { CelHostObject, CelList, CelOptional } from "../values.ts";

/** Messages about what is wrong with a text. */
type Validate = (text: string) => readonly string[];

/** A format as CEL value. */
class CelFormat extends CelHostObject {
  readonly celType = "kubernetes.NamedFormat";
  readonly name: string;
  readonly validate: Validate;

  constructor(name: string, validate: Validate) {
    super();
    this.name = name;
    this.validate = validate;
  }

  override equals(other: CelHostObject): boolean {
    return other instanceof CelFormat && this.name === other.name;
  }
}

/** What may be the beginning of a generated name: a dash at its end is fine. */
const asPrefix =
  (validate: Validate): Validate =>
  (text) =>
    validate(text.endsWith("-") ? `${text.slice(0, -1)}a` : text);

const matching =
  (pattern: RegExp, message: string): Validate =>
  (text) =>
    pattern.test(text) ? [] : [message];

const formats: Readonly<Record<string, Validate>> = {
  dns1123Label: isDns1123Label,
  dns1123Subdomain: isDns1123Subdomain,
  dns1035Label: isDns1035Label,
  qualifiedName: isQualifiedName,
  dns1123LabelPrefix: asPrefix(isDns1123Label),
  dns1123SubdomainPrefix: asPrefix(isDns1123Subdomain),
  dns1035LabelPrefix: asPrefix(isDns1035Label),
  labelValue: isValidLabelValue,
  uri: (text) => (text.startsWith("/") || URL.canParse(text) ? [] : ["invalid URI for request"]),
  uuid: matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i, "does not match the UUID format"),
  byte: matching(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, "invalid base64"),
  date: matching(/^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/, "invalid date"),
  datetime: matching(/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/, "invalid datetime"),
};

const named = (name: string) => {
  const validate = Object.hasOwn(formats, name) ? formats[name] : undefined;
  return validate === undefined ? new CelOptional() : new CelOptional(new CelFormat(name, validate));
};

function validate(format: CelFormat, text: string): CelOptional {
  const problems = format.validate(text);
  return problems.length === 0 ? new CelOptional() : new CelOptional(CelList.of(problems));
}

/** The functions of named formats. */
export const formatFunctions: readonly Overload[] = [
  overload("format.named(string) -> optional_type(kubernetes.NamedFormat)", named),
  ...Object.entries(formats).map(([name, check]) =>
    overload(`format.${name}() -> kubernetes.NamedFormat`, () => new CelFormat(name, check)),
  ),
  overload("kubernetes.NamedFormat.validate(string) -> optional_type(list(string))", validate),
];
