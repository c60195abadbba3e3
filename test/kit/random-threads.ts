// Logs of threads with everything that the statistics count, the same for the same seed.
import { type EventBody, event, type ThreadEvent, type Verdict } from "../../src/core/events.ts";
import { type SeededRandom, seededRandom } from "../../src/testing/seeded-random.ts";

export interface RandomThread {
  readonly threadId: string;
  readonly events: readonly ThreadEvent[];
}

/** The day before which all random threads start. */
export const lastDay: number = Date.UTC(2026, 1, 1);
export const startDays = 14;

export function randomThreads(seed: string, count: number): readonly RandomThread[] {
  return Array.from({ length: count }, (_, index) => randomThread(`${seed} ${index}`, `th_${index}`));
}

/** Writes one log: time goes on with every event, by some milliseconds or by hours. */
class Writer {
  readonly random: SeededRandom;
  readonly events: ThreadEvent[] = [];
  #at: number;

  constructor(random: SeededRandom) {
    this.random = random;
    this.#at = lastDay - random.between(1, startDays * 86_400_000);
  }

  add(...bodies: readonly EventBody[]): void {
    for (const body of bodies) {
      this.#at += this.random.between(0, 400);
      const place = { seq: this.events.length + 1, at: new Date(this.#at).toISOString() };
      this.events.push({ ...body, ...place } as ThreadEvent); // the spread loses the union
    }
  }

  pause(maxMs: number): void {
    this.#at += this.random.between(1, maxMs);
  }

  chance(share: number): boolean {
    return this.random.next() < share;
  }
}

const agents = ["desk", "triage", "refunds", "night-watch"] as const;
const hour = 3_600_000;

function randomThread(seed: string, threadId: string): RandomThread {
  const writer = new Writer(seededRandom(seed));
  const { random } = writer;
  writer.add(
    event("thread_started", {
      threadId,
      agent: writer.chance(0.01) ? "standing-approval" : (random.pick(agents) ?? "desk"),
      agentVersion: String(random.between(1, 3)),
      input: { value: 1 },
      by: "test",
      ...(writer.chance(0.03) && {
        forkedFrom: { threadId: "th_origin", seq: 9, events: random.between(1, 12) },
      }),
    }),
  );
  const turns = random.between(0, 4);
  for (let turn = 1; turn <= turns; turn++) {
    decide(writer, turn);
    if (writer.chance(0.7)) act(writer, turn);
    if (writer.chance(0.2)) waitForSomething(writer, turn);
  }
  end(writer);
  for (let turn = 1; turn <= turns; turn++) if (writer.chance(0.05)) flag(writer, turn);
  return { threadId, events: writer.events };
}

function decide(writer: Writer, turn: number): void {
  const { random } = writer;
  const call = (attempt: number) => ({
    key: `decide#${turn}`,
    attempt,
    durationMs: random.between(0, 900),
    model: "m",
    usage: { inputTokens: random.between(10, 9_000), outputTokens: random.between(1, 400) },
    ...(writer.chance(0.8) && { cost: { usd: random.between(1, 9_999) / 1e7, pricedAt: "2026-01-01" } }),
  });
  const window = { digest: "d", tokens: 1, budget: 10, fromSeq: 0, dropped: 0 };
  const view = writer.chance(0.3)
    ? {
        view: {
          summarised: 0,
          lined: random.between(0, 3),
          referenced: random.between(0, 9),
          summaryTokens: 0,
        },
      }
    : {};
  let attempt = 1;
  if (writer.chance(0.1)) {
    const message = "too long";
    writer.add(
      event("overflow_reported", {
        key: `decide#${turn}`,
        attempt,
        model: "m",
        message,
        sentTokens: 9,
        limitTokens: null,
      }),
    );
    writer.add(rejected(call(attempt++), "model_overflow", writer));
  }
  if (writer.chance(0.15)) writer.add(rejected(call(attempt++), "invalid_decision", writer));
  if (writer.chance(0.03)) writer.add(limit(turn));
  writer.add(
    event("decision_made", {
      ...call(attempt),
      decision: { kind: "answer", value: 1 },
      window: { ...window, ...view },
    }),
  );
}

function rejected(
  call: Omit<Parameters<typeof event<"decision_rejected">>[1], "error" | "retryAt">,
  code: string,
  writer: Writer,
): EventBody {
  const retryAt = writer.chance(0.5) ? "2026-01-01T00:00:00.000Z" : null;
  return event("decision_rejected", { ...call, error: { code, message: "no" }, retryAt });
}

function limit(turn: number): EventBody {
  return event("limit_reached", { key: `decide#${turn}`, limit: "steps", scope: "steps", value: 1, max: 1 });
}

function digestOf(writer: Writer): string {
  return writer.random.between(1, 3).toString().repeat(64);
}

function act(writer: Writer, turn: number): void {
  const key = `act:pay#${turn}`;
  if (writer.chance(0.1)) return writer.add(denied(key, "validation"));
  const risk = writer.random.pick(["low", "medium", "high", undefined] as const);
  const gateKind = writer.random.pick(["allow", "hold", "hold", "deny"] as const) ?? "allow";
  const digest = digestOf(writer);
  const gate = gateKind === "allow" ? ({ kind: "allow" } as const) : { kind: gateKind, reason: "because" };
  const about = {
    key,
    callId: key,
    tool: "pay",
    toolVersion: "1",
    args: 1,
    digest,
    effect: "once",
    gate,
  } as const;
  writer.add(event("action_proposed", { ...about, ...(risk && { risk }) }));
  if (gateKind === "deny") return writer.add(denied(key, "gate"));
  let mayStart = true;
  if (gateKind === "hold" && !writer.chance(0.03)) mayStart = ask(writer, key, digest);
  if (mayStart) run(writer, key, digest);
}

/** @returns whether it may start. */
function ask(writer: Writer, key: string, digest: string): boolean {
  const requestId = `r ${key}`;
  writer.add(
    event("request_opened", {
      requestId,
      key,
      kind: "approval",
      question: "?",
      choices: ["approve", "edit", "reject"],
      approvers: [],
      expiresAt: null,
      why: "held",
    }),
  );
  if (writer.chance(0.03)) return false; // nobody has decided so far
  const via = writer.chance(0.1) ? "standing:sa_1" : "test";
  if (via === "test") writer.pause(30 * hour);
  if (writer.chance(0.1)) {
    writer.add(event("request_expired", { requestId, key }), denied(key, "deadline"));
    return false;
  }
  const verdict = writer.random.pick<Verdict>([
    { kind: "approve" },
    { kind: "approve" },
    { kind: "edit", args: 2 },
    { kind: "reject", why: "no" },
  ]) as Verdict;
  const approved = writer.chance(0.95) ? digest : digestOf(writer);
  writer.add(
    event("request_decided", { requestId, key, verdict, by: "dana@example.com", via, digest: approved }),
  );
  if (verdict.kind === "reject") writer.add(denied(key, "person"));
  return verdict.kind !== "reject";
}

function denied(key: string, deniedBy: "gate" | "validation" | "person" | "deadline"): EventBody {
  return event("action_denied", { key, deniedBy, why: "no" });
}

function run(writer: Writer, key: string, digest: string): void {
  const start = (attempt: number): EventBody =>
    event("action_started", { key, attempt, digest, idempotencyKey: key });
  writer.add(start(1));
  if (writer.chance(0.05)) writer.add(start(2));
  if (writer.chance(0.02)) writer.add(start(1)); // as no runtime does
  const durationMs = writer.random.between(0, 2_000);
  const ended = { key, attempt: 1, durationMs };
  if (writer.chance(0.85)) writer.add(event("action_completed", { ...ended, result: { value: 1 } }));
  else writer.add(event("action_failed", { ...ended, error: { code: "tool_failed", message: "no" } }));
}

function waitForSomething(writer: Writer, turn: number): void {
  const step = { key: `step:load#${turn}`, attempt: 1, durationMs: writer.random.between(0, 99) };
  switch (writer.random.between(1, 4)) {
    case 1:
      writer.add(event("timer_set", { key: `sleep#${turn}`, dueAt: "2026-01-01T00:00:00.000Z" }));
      writer.pause(2 * hour);
      return writer.add(event("timer_fired", { key: `sleep#${turn}` }));
    case 2:
      writer.add(event("wait_started", { key: `wait:go#${turn}`, signal: "go", expiresAt: null }));
      if (writer.chance(0.3)) return; // left behind
      writer.pause(hour);
      return writer.add(
        event("signal_received", { signalId: `s${turn}`, signal: "go", value: 1, by: "test" }),
      );
    case 3:
      writer.add(event("child_started", { key: `call#${turn}`, childId: "c", agent: "desk", input: {} }));
      writer.pause(hour);
      return writer.add(
        event("child_completed", { key: `call#${turn}`, childId: "c", outcome: { status: "completed" } }),
      );
    default:
      return writer.add(event("step_completed", { ...step, result: { value: 1 } }));
  }
}

function end(writer: Writer): void {
  if (writer.chance(0.05)) return;
  const error = { code: "flow_failed", message: "no" };
  const accepted = writer.random.pick([{}, { accepted: true }, { accepted: false }]) ?? {};
  const ends: readonly EventBody[] = [
    event("thread_completed", { output: { value: 1 }, ...accepted }),
    event("thread_completed", { output: { value: 1 }, ...accepted }),
    event("thread_failed", { error }),
    event("thread_cancelled", { by: "test", why: "enough" }),
  ];
  writer.add(writer.random.pick(ends) as EventBody);
}

function flag(writer: Writer, turn: number): void {
  const key = `act:pay#${turn}`;
  if (!writer.events.some((one) => one.type === "action_started" && one.key === key)) return;
  writer.pause(3 * 24 * hour);
  for (const by of writer.chance(0.3) ? ["dana@example.com", "lee@example.com"] : ["dana@example.com"])
    writer.add(event("action_flagged", { key, by, why: "wrong" }));
}
