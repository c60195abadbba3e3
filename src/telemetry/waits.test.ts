import { describe, expect, test } from "vitest";
import { type EventBody, event, type ThreadEvent } from "../core/events.ts";
import { createWaits, firstUnseen } from "./waits.ts";

/** One second after the other. */
function log(...bodies: readonly EventBody[]): readonly ThreadEvent[] {
  return bodies.map((body, index) => {
    const at = new Date(Date.UTC(2026, 0, 1) + (index + 1) * 1_000).toISOString();
    return { ...body, seq: index + 1, at } as ThreadEvent; // the spread loses the union
  });
}

const opened = (requestId: string, kind: "approval" | "question" = "approval") =>
  event("request_opened", {
    ...{ requestId, key: `act:pay#${requestId}`, kind, question: "?", choices: ["approve"], approvers: [] },
    ...{ expiresAt: null, why: "held" },
  });
const decided = (requestId: string, via = "http") =>
  event("request_decided", {
    requestId,
    key: `act:pay#${requestId}`,
    verdict: { kind: "approve" },
    by: "dana",
    via,
  });
const received = event("signal_received", { signalId: "s1", signal: "paid", value: 1, by: "shop" });
const waiting = (key: string) => event("wait_started", { key, signal: "paid", expiresAt: null });

describe("waits", () => {
  test.each([
    {
      name: "a request is decided",
      given: [opened("1"), opened("2", "question"), decided("1")],
      ended: [["approval", "approve", 2_000]],
    },
    {
      name: "by a standing approval, whose id is nobody's label",
      given: [opened("1"), decided("1", "standing:sa_1")],
      ended: [["approval", "approve", 1_000, "standing"]],
    },
    {
      name: "nobody answers in time",
      given: [opened("1"), event("request_expired", { requestId: "1", key: "act:pay#1" })],
      ended: [["approval", "expired", 1_000]],
    },
    {
      name: "a timer fires",
      given: [event("timer_set", { key: "sleep#1", dueAt: "" }), event("timer_fired", { key: "sleep#1" })],
      ended: [["timer", "fired", 1_000]],
    },
    {
      name: "a signal ends all that waited for it",
      given: [waiting("wait:paid#1"), waiting("wait:paid#2"), received],
      ended: [
        ["signal", "received", 2_000],
        ["signal", "received", 1_000],
      ],
    },
    {
      name: "a signal does not come in time",
      given: [waiting("wait:paid#1"), event("timer_fired", { key: "wait:paid#1" }), received],
      ended: [["signal", "expired", 1_000]],
    },
    {
      name: "a child ends",
      given: [
        event("child_started", { key: "call:a#1", childId: "th_2", agent: "a", input: {} }),
        event("child_completed", { key: "call:a#1", childId: "th_2", outcome: { status: "completed" } }),
      ],
      ended: [["child", "completed", 1_000]],
    },
    { name: "what nobody waited for ends nothing", given: [decided("9"), received], ended: [] },
  ])("are told once they are over: $name", ({ given, ended: expected }) => {
    const waits = createWaits();
    const ended = log(...given).flatMap((each) => waits.take(each));
    expect(
      ended.map(({ kind, outcome, startedAt, endedAt, via }) => [
        kind,
        outcome,
        Date.parse(endedAt) - Date.parse(startedAt),
        ...(via === "standing" ? [via] : []),
      ]),
    ).toEqual(expected);
  });

  test("what others appended at the end of a log has been seen by no turn", () => {
    const parked = [opened("1"), opened("2")];
    expect(firstUnseen(log(...parked))).toBe(2);
    expect(firstUnseen(log(...parked, decided("1"), received))).toBe(2);
    expect(firstUnseen(log(decided("1"), ...parked, decided("2")))).toBe(3);
    expect(firstUnseen([])).toBe(0);
  });
});
