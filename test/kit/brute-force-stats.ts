// The statistics counted again from raw logs, in the most obvious way: slowly, and with no code of the real ones.
import type { EventOf, EventType, ThreadEvent } from "../../src/core/events.ts";

type Log = readonly ThreadEvent[];

/** Sums and lists over all logs, of what happened from `from` on and before `until`. */
export function bruteForce(allLogs: readonly Log[], from: number, until: number) {
  const isInPeriod = (event: ThreadEvent): boolean =>
    Date.parse(event.at) >= from && Date.parse(event.at) < until;
  const logs = allLogs.filter(
    ([first]) => first?.type !== "thread_started" || first.agent !== "standing-approval",
  );
  const own = logs.flatMap((log) => ownOf(log).filter(isInPeriod));
  const ofType = <Type extends EventType>(type: Type) =>
    own.filter((one): one is EventOf<Type> => one.type === type);
  const ended = logs.filter((log) => ownOf(log).some((event) => isEnd(event) && isInPeriod(event)));
  const completed = ended.filter((log) => log.some(({ type }) => type === "thread_completed"));
  const accepted = completed.filter(
    (log) => !log.some((event) => event.type === "thread_completed" && event.accepted === false),
  );
  const critical = logs.flatMap(criticalActions).filter(({ start }) => isInPeriod(start));
  const calls = ended.flatMap((log) => ownOf(untilEnd(log))).filter(isCall);
  const denied = (by: string): number =>
    ofType("action_denied").filter(({ deniedBy }) => deniedBy === by).length;
  const people = ofType("request_decided").filter(({ via }) => !via.startsWith("standing:"));
  return {
    ended: ended.length,
    completed: completed.length,
    failed: ended.filter((log) => log.some(({ type }) => type === "thread_failed")).length,
    succeeded: accepted.length,
    overflows: ofType("overflow_reported").length,
    shrunk: logs.flatMap(shrinkings).filter(isInPeriod).length,
    critical: critical.length,
    unapproved: critical.filter(({ isUnapproved }) => isUnapproved).length,
    allowed: critical.filter(({ isAllowed }) => isAllowed).length,
    misoperations: critical.filter(({ isUnapproved, isFlagged }) => isUnapproved || isFlagged).length,
    flags: ofType("action_flagged").length,
    held: ofType("action_proposed").filter(({ gate }) => gate.kind === "hold").length,
    deniedBy: ["gate", "validation", "person", "deadline"].map(denied),
    invalidOutputs: ofType("decision_rejected").filter(({ error }) => error.code === "invalid_decision")
      .length,
    limits: ofType("limit_reached").length,
    alone: completed.filter((log) => askedPeople(untilEnd(log)) === 0).length,
    answered: people.length,
    answeredByStanding: ofType("request_decided").length - people.length,
    unanswered: ofType("request_expired").length,
    answerTimes: inOrder(logs.flatMap((log) => answerTimes(log, isInPeriod))),
    wall: inOrder(ended.map((log) => timeOf(untilEnd(log).at(-1)) - timeOf(log[0]))),
    active: inOrder(ended.map((log) => total(ownOf(untilEnd(log)).map(durationOf)))),
    waiting: inOrder(ended.map((log) => waited(untilEnd(log)))),
    calls: calls.length,
    tokens: [
      total(calls.map(({ usage }) => usage.inputTokens)),
      total(calls.map(({ usage }) => usage.outputTokens)),
    ],
    usd: total(calls.map(({ cost }) => Math.round((cost?.usd ?? 0) * 1e9))) / 1e9,
    unpriced: calls.filter(({ cost }) => cost === undefined).length,
  };
}

/** The value below which a share of all lies: the smallest that is at least as large as that many. */
export function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted.find((_, index) => index + 1 >= share * sorted.length);
}

export function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function inOrder(values: readonly number[]): readonly number[] {
  return [...values].sort((one, other) => one - other);
}

function isEnd({ type }: ThreadEvent): boolean {
  return type === "thread_completed" || type === "thread_failed" || type === "thread_cancelled";
}

type Call = EventOf<"decision_made"> | EventOf<"decision_rejected">;

function isCall(event: ThreadEvent): event is Call {
  return event.type === "decision_made" || event.type === "decision_rejected";
}

/** Without what a fork copied. */
function ownOf(log: Log): Log {
  const [first] = log;
  const copies = first?.type === "thread_started" ? (first.forkedFrom?.events ?? 0) : 0;
  return log.filter(({ seq }) => seq > copies);
}

function untilEnd(log: Log): Log {
  return log.slice(0, log.findIndex(isEnd) + 1);
}

function timeOf(event: ThreadEvent | undefined): number {
  return Date.parse(event?.at ?? "");
}

function durationOf(event: ThreadEvent): number {
  return "durationMs" in event ? event.durationMs : 0;
}

function askedPeople(log: Log): number {
  const opened = ownOf(log).filter(({ type }) => type === "request_opened").length;
  const standing = ownOf(log).filter(
    (event) => event.type === "request_decided" && event.via.startsWith("standing:"),
  ).length;
  return opened - standing;
}

function answerTimes(log: Log, isInPeriod: (event: ThreadEvent) => boolean): readonly number[] {
  return ownOf(log).flatMap((event) => {
    if (event.type !== "request_decided" || event.via.startsWith("standing:") || !isInPeriod(event))
      return [];
    const opened = log.find((one) => one.type === "request_opened" && one.requestId === event.requestId);
    return [timeOf(event) - timeOf(opened)];
  });
}

function shrinkings(log: Log): Log {
  const sizes = log.filter(isCall).map((event) => {
    const view = event.window?.view;
    return { event, size: view ? view.summarised + view.lined + view.referenced : 0 };
  });
  return sizes
    .filter(({ size }, index) => size > Math.max(0, ...sizes.slice(0, index).map((before) => before.size)))
    .map(({ event }) => event)
    .filter((event) => ownOf(log).includes(event));
}

function criticalActions(log: Log) {
  const keys = new Set(log.flatMap((event) => (event.type === "action_started" ? [event.key] : [])));
  return [...keys].flatMap((key) => {
    const about = log.filter((event) => "key" in event && event.key === key);
    const starts = about.filter(
      (event): event is EventOf<"action_started"> => event.type === "action_started",
    );
    const start = starts[0] as EventOf<"action_started">;
    const proposed = about.find(
      (event): event is EventOf<"action_proposed"> => event.type === "action_proposed",
    );
    const isCritical = proposed?.gate.kind === "hold" || proposed?.risk === "high";
    if (!isCritical || !ownOf(log).includes(start)) return [];
    const approval = about.find(
      (event): event is EventOf<"request_decided"> =>
        event.type === "request_decided" &&
        (event.verdict.kind === "approve" || event.verdict.kind === "edit"),
    );
    const isAllowed = proposed?.gate.kind === "allow";
    const covered = starts.filter(
      ({ digest, attempt }, index) => approval?.digest === digest && (index === 0 || attempt > 1),
    );
    return [
      {
        start,
        isAllowed,
        isUnapproved: !isAllowed && covered.length < starts.length,
        isFlagged: about.some(({ type }) => type === "action_flagged"),
      },
    ];
  });
}

/** For each moment between two events: was anything open, and how much of it did the second event's operation take? */
function waited(log: Log): number {
  return total(
    ownOf(log)
      .filter(({ seq }) => seq > 1)
      .map((event) => {
        const before = log.filter(({ seq }) => seq < event.seq);
        if (!isSomethingOpen(before)) return 0;
        return Math.max(0, timeOf(event) - timeOf(before.at(-1)) - durationOf(event));
      }),
  );
}

function isSomethingOpen(log: Log): boolean {
  const has = (type: EventType, key: string, after: number): boolean =>
    log.some((event) => event.type === type && "key" in event && event.key === key && event.seq > after);
  return log.some((event) => {
    switch (event.type) {
      case "timer_set":
        return !has("timer_fired", event.key, event.seq);
      case "child_started":
        return !has("child_completed", event.key, event.seq);
      case "request_opened":
        return !has("request_decided", event.key, event.seq) && !has("request_expired", event.key, event.seq);
      case "decision_rejected":
        return (
          event.retryAt !== null &&
          !log.some((one) => isCall(one) && one.key === event.key && one.seq > event.seq)
        );
      case "wait_started":
        return !log.some((one) => one.type === "signal_received" && one.seq > event.seq);
      default:
        return false;
    }
  });
}
