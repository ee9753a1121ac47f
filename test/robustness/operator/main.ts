// `scripts/node test/robustness/operator/main.ts --minutes 60`: lets an operator run that long, a line every minute.
// Fails when it missed a change, was told one twice, or what it keeps is not as it should be.
import { parseArgs } from "node:util";
import { watchOperator } from "./watch-operator.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    rate: { type: "string", default: "20" },
    names: { type: "string", default: "200" },
    restarts: { type: "string", default: "5" },
  },
});

const violations = await watchOperator(
  {
    seconds: Number(values.minutes) * 60,
    changesPerSecond: Number(values.rate),
    names: Number(values.names),
    restarts: Number(values.restarts),
    roundSeconds: 60,
  },
  (agreement) => console.log(JSON.stringify(agreement)),
);
for (const violation of violations) console.error(violation);
console.log(violations.length === 0 ? "all was told once, in order, and the mirrors are right" : `${violations.length} things went wrong`);
process.exitCode = violations.length === 0 ? 0 : 1;
