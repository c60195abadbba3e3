import { HoldpointError } from "./errors.ts";
import type { Verdict } from "./events.ts";

/** Letters, digits or signs: not spaces, line feeds or what no screen shows. */
const shown = /[^\s\p{Z}\p{C}]/u;

/** A reason is read by whoever asked, so a blank one is none. @throws `verdict_invalid` */
export function assertReason(verdict: Verdict): void {
  if (!("why" in verdict) || verdict.why === undefined || shown.test(verdict.why)) return;
  const isOptional = verdict.kind === "continue" || verdict.kind === "stop";
  throw new HoldpointError("verdict_invalid", `the reason of this ${verdict.kind} is blank`, {
    fix: `Say why: whoever asked is told it.${isOptional ? " Or leave it out." : ""}`,
  });
}
