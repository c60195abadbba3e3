import { HoldpointError } from "../core/errors.ts";
import type { EvalSuite } from "./suite.ts";
import { readSuite } from "./suite-problems.ts";

/**
 * A suite for `holdpoint eval`, checked: `export default evalSuite({ name, agent, cases: [ … ] })`.
 *
 * @throws `suite_invalid`, naming the members that are wrong and what to write.
 */
export function evalSuite(definition: EvalSuite): EvalSuite {
  const { suite, problems } = readSuite(definition);
  if (suite) return suite;
  const told = problems.map(({ path, message }) => `${path.join(".") || "the suite"}: ${message}`);
  throw new HoldpointError("suite_invalid", told.join("; "), { fix: problems[0]?.fix });
}
