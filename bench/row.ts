/** One line of the table: a figure beside what it is measured against, in the same run. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: "per second" | "ms" | "bytes" | "MB" | "MB/s" | "%" | "clients";
  /** The same work on bare SQLite, where there is such a thing. */
  readonly floor?: number;
  /** What it should reach, in words, and whether it does. */
  readonly target: string;
  readonly reached: boolean;
}

/** The rows as a table for people. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.reached ? "✓" : "✗",
    row.what,
    show(row.value, row.unit),
    row.floor === undefined ? "" : show(row.floor, row.unit),
    ratio(row),
    row.target,
  ]);
  const header = ["", "figure", "measured", "floor", "ratio", "target"];
  const widths = header.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  return [header, ...lines]
    .map((line) =>
      line
        .map((cell, column) =>
          column > 1 && column < 5 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function show(value: number, unit: Row["unit"]): string {
  if (unit === "per second") return `${Math.round(value).toLocaleString("en")}/s`;
  if (unit === "bytes") return `${Math.round(value).toLocaleString("en")} B`;
  if (unit === "clients") return `${value.toLocaleString("en")}`;
  return `${value.toFixed(value < 10 ? 2 : 1)} ${unit}`;
}

function ratio(row: Row): string {
  return row.floor === undefined ? "" : `${(row.value / row.floor).toFixed(2)}×`;
}

/** The middle of the values: what one slow moment of a shared machine does not move. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
