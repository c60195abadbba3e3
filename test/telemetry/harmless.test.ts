// Whoever watches changes nothing: the log is the same without telemetry, without a provider, and with one that breaks.
import { context, trace } from "@opentelemetry/api";
import type { SpanExporter } from "@opentelemetry/sdk-trace-base";
import { describe, expect, test } from "vitest";
import {
  type EffectTelemetry,
  openTelemetry,
  type Telemetry,
  type TelemetryScope,
  type TurnTelemetry,
} from "../../src/index.ts";
import { approvedRun } from "../kit/approved-run.ts";
import { useSpans } from "../kit/spans.ts";

const register = useSpans();

describe("the log is the same", () => {
  test("with spans, and without a provider, which is asked for no span but one a turn", async () => {
    const plain = await approvedRun();
    expect(await approvedRun({ telemetry: openTelemetry({ content: true }) })).toEqual(plain);
    let asked = 0;
    const tracerProvider = {
      getTracer: (...named: readonly [string]) => {
        const tracer = trace.getTracer(...named);
        const startSpan: typeof tracer.startSpan = (...given) => {
          asked += 1;
          return tracer.startSpan(...given);
        };
        return { ...tracer, startSpan, startActiveSpan: tracer.startActiveSpan.bind(tracer) };
      },
    };
    expect(await approvedRun({ telemetry: openTelemetry({ tracerProvider }) })).toEqual(plain);
    expect(asked).toBe(2);
    const spans = register();
    expect(await approvedRun({ telemetry: openTelemetry({ content: true }) })).toEqual(plain);
    expect(spans.ended()).toHaveLength(7);
  });

  test("with an exporter that throws", async () => {
    const plain = await approvedRun();
    const broken: SpanExporter = {
      export: () => {
        throw new Error("no collector");
      },
      forceFlush: () => Promise.reject(new Error("no collector")),
      shutdown: () => Promise.resolve(),
    };
    const spans = register({ exporter: broken });
    expect(await approvedRun({ telemetry: openTelemetry() })).toEqual(plain);
    expect(spans.ended()).toHaveLength(7);
  });

  test("with a context manager that throws", async () => {
    const plain = await approvedRun();
    register();
    context.disable();
    const broken = { active: fail, with: fail, bind: fail, enable: fail, disable: () => broken };
    context.setGlobalContextManager(broken);
    expect(await approvedRun({ telemetry: openTelemetry() })).toEqual(plain);
  });

  test.each([
    "startTurn",
    "startEffect",
    "within",
    "within, afterwards",
    "twice",
    "never",
    "appended",
    "end",
    "end of a turn",
  ])("with telemetry that breaks: %s", async (where) => {
    const plain = await approvedRun();
    const told: string[] = [];
    expect(await approvedRun({ telemetry: breaking(where, told) })).toEqual(plain);
    expect(told).toContain(where);
  });
});

function fail(): never {
  throw new Error("broken");
}

/** Telemetry that breaks in one place; `told` is where it has been. */
function breaking(where: string, told: string[]): Telemetry {
  const at = (place: string): void => {
    told.push(place);
    if (place === where) fail();
  };
  const scope: TelemetryScope = {
    within(action) {
      at("within");
      told.push("twice", "never");
      if (where === "never") return undefined as ReturnType<typeof action>; // a promise broken on purpose
      const value = action();
      if (where === "twice") action();
      at("within, afterwards");
      return value;
    },
  };
  const effect: EffectTelemetry = { ...scope, end: () => at("end") };
  const turn: TurnTelemetry = {
    ...scope,
    startEffect: () => {
      at("startEffect");
      return effect;
    },
    appended: () => at("appended"),
    end: () => at("end of a turn"),
  };
  return {
    startTurn: () => {
      at("startTurn");
      return turn;
    },
  };
}
