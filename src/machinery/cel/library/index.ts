// All functions that Kubernetes gives to CEL expressions.
import type { Overload } from "../functions.ts";
import { addressFunctions } from "./addresses.ts";
import { formatFunctions } from "./formats.ts";
import { listFunctions } from "./lists.ts";
import { numberFunctions } from "./numbers.ts";
import { optionalFunctions } from "./optionals.ts";
import { quantityFunctions } from "./quantity.ts";
import { regexFunctions } from "./regex.ts";
import { semverFunctions } from "./semver.ts";
import { standardFunctions } from "./standard.ts";
import { stringFunctions } from "./strings.ts";
import { timeFunctions } from "./times.ts";
import { urlFunctions } from "./urls.ts";

/** The overloads of every environment. */
export const kubernetesFunctions: readonly Overload[] = [
  ...standardFunctions,
  ...numberFunctions,
  ...stringFunctions,
  ...timeFunctions,
  ...listFunctions,
  ...optionalFunctions,
  ...regexFunctions,
  ...quantityFunctions,
  ...addressFunctions,
  ...urlFunctions,
  ...formatFunctions,
  ...semverFunctions,
];
