// Runs inputs of the Go tests through the browser's arithmetic: JSON in on
// standard input, one result for each out on standard output.

import { readFileSync } from "node:fs";
import { evaluate, type Input, type Instrument } from "../../../web/app/src/screening/evaluate";

const { instrument, inputs } = JSON.parse(readFileSync(0, "utf8")) as { instrument: Instrument; inputs: Input[] };
process.stdout.write(JSON.stringify(inputs.map((q) => evaluate(instrument, q))));
