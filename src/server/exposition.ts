// Prometheus' text format, version 0.0.4.

type Kind = "counter" | "gauge" | "histogram";

/** What a series is told apart by. */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

export interface Histogram {
  readonly labels?: Labels;
  /** How many were at most as long as each bound. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
}

export function family(
  { name, help, kind }: Family & { readonly kind: "counter" | "gauge" },
  samples: readonly Sample[],
): readonly string[] {
  return [
    ...head(name, kind, help),
    ...samples.map(({ labels = {}, value }) => `${name}${labelText(labels)} ${value}`),
  ];
}

/** @param bounds - of all of them, rising. */
export function histogramFamily(
  { name, help }: Family,
  bounds: readonly number[],
  histograms: readonly Histogram[],
): readonly string[] {
  const lines = histograms.flatMap(({ labels = {}, counts, count, sum }) => [
    ...bounds.map(
      (bound, index) => `${name}_bucket${labelText({ ...labels, le: String(bound) })} ${counts[index] ?? 0}`,
    ),
    `${name}_bucket${labelText({ ...labels, le: "+Inf" })} ${count}`,
    `${name}_sum${labelText(labels)} ${sum}`,
    `${name}_count${labelText(labels)} ${count}`,
  ]);
  return [...head(name, "histogram", help), ...lines];
}

function head(name: string, kind: Kind, help: string): readonly string[] {
  return [`# HELP ${name} ${help.replaceAll("\\", "\\\\")}`, `# TYPE ${name} ${kind}`];
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
