// A strict reader of Prometheus' text format 0.0.4, written from the format's description and from nothing of ours. It
// refuses what a lenient scraper would let pass: families in pieces, series twice, histograms that do not add up.
import { expect } from "vitest";

export interface ParsedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly ParsedSample[];
}

interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Growing extends ParsedFamily {
  readonly samples: ParsedSample[];
  /** Of these, each series once. */
  readonly keys: Set<string>;
}

/** @throws for text that is not exactly in the format. */
export function parseExposition(text: string): ReadonlyMap<string, ParsedFamily> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, Growing>();
  const lines = text.slice(0, -1).split("\n");
  let family: Growing | null = null;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (line.startsWith("#")) {
      family = openFamily(line, lines[index + 1] ?? "");
      if (families.has(family.name)) throw new Error(`family ${family.name} comes in pieces`);
      families.set(family.name, family);
      index += 1;
    } else {
      if (!family) throw new Error(`a sample without a family: ${line}`);
      addSample(family, parseSample(line));
    }
  }
  for (const each of families.values()) if (each.type === "histogram") checkHistogram(each);
  return families;
}

function openFamily(help: string, type: string): Growing {
  const [, name = "", text = ""] = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (\S.*)$/.exec(help) ?? [];
  const [, typed, kind = ""] =
    /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$/.exec(type) ?? [];
  if (name === "" || typed !== name) throw new Error(`not a family's head: ${help} / ${type}`);
  if ((kind === "counter") !== name.endsWith("_total")) throw new Error(`${name} is named like no ${kind}`);
  return { name, help: text, type: kind, samples: [], keys: new Set() };
}

function parseSample(line: string): ParsedSample {
  const [, name = "", inner, number = ""] =
    /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.+)\})? (\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(line) ?? [];
  if (name === "") throw new Error(`not a sample: ${line}`);
  return { name, labels: inner === undefined ? {} : parseLabels(inner), value: Number(number) };
}

function parseLabels(inner: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  const one = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(,|$)/y;
  while (one.lastIndex < inner.length) {
    const at = one.lastIndex;
    const [, name = "", value = "", end] = one.exec(inner) ?? [];
    if (name === "" || name in labels || (end === "," && one.lastIndex === inner.length))
      throw new Error(`not labels, from ${at} on: ${inner}`);
    labels[name] = value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
  }
  return labels;
}

function addSample({ name, type, samples, keys }: Growing, sample: ParsedSample): void {
  const suffixes = type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  if (!suffixes.some((suffix) => sample.name === name + suffix))
    throw new Error(`${sample.name} is none of family ${name}`);
  const key = keyOf(sample);
  if (keys.has(key)) throw new Error(`a series twice: ${key}`);
  keys.add(key);
  samples.push(sample);
}

function keyOf({ name, labels }: ParsedSample): string {
  return JSON.stringify([name, Object.entries(labels).sort()]);
}

function checkHistogram({ name, samples }: ParsedFamily): void {
  const groups = new Map<string, ParsedSample[]>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  for (const [key, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) =>
      labels.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels.le),
    );
    const values = buckets.map(({ value }) => value);
    const rises = (list: readonly number[], strictly: boolean): boolean =>
      list.every(
        (value, index) =>
          index === 0 || value > (list[index - 1] ?? 0) || (!strictly && value === list[index - 1]),
      );
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    expect([key, rises(bounds, true), rises(values, false), bounds.at(-1), values.at(-1)]).toEqual([
      key,
      true,
      true,
      Number.POSITIVE_INFINITY,
      count,
    ]);
    expect(group.filter((sample) => sample.name === `${name}_sum`)).toHaveLength(1);
  }
}
