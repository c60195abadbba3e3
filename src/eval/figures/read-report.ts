import { z } from "zod";
import { runIdentitySchema } from "../run-identity.ts";
import type { EvalReport } from "./eval-report.ts";

const figure = z.number().min(0);

/** What a comparison reads of a report. */
const compared = z.object({
  run: runIdentitySchema,
  cases: z.array(
    z
      .object({
        name: z.string(),
        trials: z.int().min(0),
        passed: z.int().min(0),
        tokens: z.object({ perTrial: figure }),
        usd: figure,
      })
      .refine(({ passed, trials }) => passed <= trials),
  ),
});

/** True for a report of version 1 that a run can be compared with. */
export function isReport(value: object): value is EvalReport {
  return compared.safeParse(value).success;
}
