// What is told of runs is for people who watch, and a fault in telling must not harm a run: what telemetry throws is
// ignored here, and what it should have called is called all the same, once.
import type {
  EffectTelemetry,
  Telemetry,
  TelemetryScope,
  TurnFacts,
  TurnTelemetry,
} from "../ports/telemetry.ts";

/** As it is, but it throws nothing; `flush` never rejects. */
export function guardedTelemetry(telemetry: Telemetry): Telemetry {
  return {
    startTurn: (turn: TurnFacts) => guardedTurn(quietly(() => telemetry.startTurn(turn))),
    async flush() {
      try {
        await telemetry.flush?.();
      } catch {
        // What was not sent is lost; the log has it all.
      }
    },
  };
}

function guardedTurn(turn: TurnTelemetry | null): TurnTelemetry | null {
  if (!turn) return null;
  return {
    within: (action) => within(turn, action),
    startEffect: (effect) => guardedEffect(quietly(() => turn.startEffect(effect))),
    appended: (events) => void quietly(() => turn.appended(events)),
    end: (how) => void quietly(() => turn.end(how)),
  };
}

function guardedEffect(effect: EffectTelemetry | null): EffectTelemetry | null {
  if (!effect) return null;
  return {
    within: (action) => within(effect, action),
    end: (how) => void quietly(() => effect.end(how)),
  };
}

/** Calls `action` once, in the scope where that works. Its own error is thrown, and no other. */
function within<T>(scope: TelemetryScope, action: () => T): T {
  const outcomes: Outcome<T>[] = [];
  const once = (): void => {
    if (outcomes.length === 0) outcomes.push(outcomeOf(action));
  };
  quietly(() => scope.within(once));
  once();
  const [outcome] = outcomes;
  if (outcome && "value" in outcome) return outcome.value;
  throw outcome?.thrown;
}

type Outcome<T> = { readonly value: T } | { readonly thrown: unknown };

function outcomeOf<T>(action: () => T): Outcome<T> {
  try {
    return { value: action() };
  } catch (thrown) {
    return { thrown };
  }
}

function quietly<T>(tell: () => T): T | null {
  try {
    return tell();
  } catch {
    return null;
  }
}
