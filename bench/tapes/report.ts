/** What a mode found. */
export interface Report {
  readonly mode: string;
  readonly seconds: number;
  readonly figures: readonly Figure[];
  /** Every deviation in words. */
  readonly problems: readonly string[];
}

export interface Figure {
  readonly what: string;
  readonly value: number;
  /** What it must be; or, with `atLeast`, the least that it may be. */
  readonly want?: number;
  readonly atLeast?: true;
}

export function isReached({ value, want, atLeast }: Figure): boolean {
  return want === undefined || (atLeast ? value >= want : value === want);
}

/** True when every figure is what it must be, and nothing deviates. */
export function holds({ figures, problems }: Report): boolean {
  return figures.every(isReached) && problems.length === 0;
}

/** A report as a table for people. */
export function table(report: Report): string {
  const { mode, seconds, figures, problems } = report;
  const width = Math.max(...figures.map(({ what }) => what.length));
  const lines = figures.map((figure) => {
    const { what, value, want, atLeast } = figure;
    const mark = want === undefined ? " " : isReached(figure) ? "✓" : "✗";
    const target = want === undefined ? "" : `  (${atLeast ? "at least " : ""}${want.toLocaleString("en")})`;
    return `${mark} ${what.padEnd(width)}  ${value.toLocaleString("en").padStart(9)}${target}`;
  });
  const shown = problems.slice(0, 10).map((problem) => `  ! ${problem}`);
  const more = problems.length > 10 ? [`  ! and ${problems.length - 10} more`] : [];
  return [`${mode}, ${seconds.toFixed(1)} s`, ...lines, ...shown, ...more].join("\n");
}
