import type { FindingArea, FindingLevel } from "./finding.ts";

/** What is the same for every finding of a code. */
export interface CodeRow {
  readonly level: FindingLevel;
  readonly area: FindingArea;
  /** When it is found, for the documentation. */
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}
