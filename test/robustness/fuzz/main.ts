// `npm run fuzz -- [target…] [--seconds N] [--seed S]`: tries each target for N seconds and shows the input it could not bear.
import { parseArgs } from "node:util";
import { fuzz } from "./fuzz.ts";
import { targets } from "./targets/index.ts";

const { values, positionals } = parseArgs({
  options: { seconds: { type: "string", default: "10" }, seed: { type: "string", default: String(Date.now() % 1_000_000) } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !targets.some((target) => target.name === name));
if (unknown.length > 0) throw new Error(`no target ${unknown.join(", ")}; there are ${targets.map(({ name }) => name).join(", ")}`);

console.log(`seed ${values.seed}`);
for (const target of targets) {
  if (positionals.length > 0 && !positionals.includes(target.name)) continue;
  const { runs, failure } = await fuzz(target, { seed: Number(values.seed), seconds: Number(values.seconds) });
  console.log(
    `${target.name}: ${runs} inputs${failure === undefined ? "" : `, FAILED at ${failure.input.toString("base64")}\n${failure.problem}`}`,
  );
  if (failure !== undefined) process.exitCode = 1;
}
