import { readdirSync, readFileSync } from "node:fs";

/** A raw error, and what must be found in it. */
export interface ErrorFixture {
  readonly name: string;
  readonly raw: string;
  readonly operation: string;
  readonly attempts: number;
  readonly kind: string;
  readonly cause: readonly string[];
  readonly status: number | undefined;
  readonly endpoint: string | undefined;
  readonly location: string | undefined;
}

const folder = new URL("../fixtures/errors/", import.meta.url);

export function errorFixtures(): readonly ErrorFixture[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".txt"))
    .sort()
    .flatMap((file) => readFileSync(new URL(file, folder), "utf8").split(/^=== /m).slice(1))
    .map(parseFixture);
}

function parseFixture(text: string): ErrorFixture {
  const end = text.indexOf("\n---\n");
  const [name = "", ...members] = text.slice(0, end).split("\n");
  const expected = new Map(
    members.map((line) => [line.split(": ", 1)[0], line.slice(line.indexOf(": ") + 2)]),
  );
  const status = expected.get("status");
  return {
    name,
    raw: text.slice(end + "\n---\n".length).trimEnd(),
    operation: expected.get("operation") ?? "",
    attempts: Number(expected.get("attempts")),
    kind: expected.get("kind") ?? "",
    cause: (expected.get("cause") ?? "").split(" && "),
    status: status === undefined ? undefined : Number(status),
    endpoint: expected.get("endpoint"),
    location: expected.get("location"),
  };
}
