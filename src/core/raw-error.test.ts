import { describe, expect, it } from "vitest";
import { HoldpointError, recordError, toErrorInfo, withoutRaw } from "./errors.ts";
import { rawError } from "./raw-error.ts";

describe("what is kept of an error besides its message", () => {
  it("is the stack, the causes and the members that say more", () => {
    const cause = Object.assign(new TypeError("deep"), { code: "ECONNREFUSED", port: 5432 });
    const error = Object.assign(new Error("top", { cause }), {
      status: 409,
      config: { method: "get", url: "/orders/1", headers: { authorization: "Bearer abc" } },
      response: { status: 409, data: { message: "closed" }, headers: { "set-cookie": "x" } },
    });
    const raw = rawError(error) ?? "";
    expect(raw).toMatch(/^Error: top\n {4}at /);
    expect(raw).toContain("Caused by: TypeError: deep\n");
    expect(raw).toContain("code: ECONNREFUSED\nport: 5432");
    expect(raw).toContain("status: 409\nconfig.method: get\nconfig.url: /orders/1\n");
    expect(raw).toContain('response.data: {"message":"closed"}');
    expect(raw).not.toMatch(/abc|cookie/);
  });

  it("has neither Node's own frames nor more than needed", () => {
    const error = new Error("x");
    const frames = Array.from({ length: 60 }, (_, index) => `    at f (/app/src/a.ts:${index}:1)`);
    error.stack = ["Error: x", "    at node:internal/timers:1:1", ...frames].join("\n");
    expect(rawError(error)).not.toContain("node:internal");
    expect(rawError(error)?.split("\n").length).toBe(17);
  });

  it("says the message that an error was given after it was made", () => {
    const error = new Error("before");
    error.message = "after";
    expect(rawError(error)).toMatch(/^Error: after\n/);
  });

  it("reads the members of an AggregateError and the output of a command", () => {
    const many = new AggregateError([new Error("one"), new Error("two")], "both failed");
    expect(rawError(many)).toMatch(
      /AggregateError: both failed[\s\S]*\[errors\]\[0\]: Error: one[\s\S]*\[errors\]\[1\]: Error: two/,
    );
    const command = Object.assign(new Error("Command failed"), {
      stderr: Buffer.from("no such file"),
      exitCode: 2,
    });
    expect(rawError(command)).toContain("exitCode: 2\nstderr: no such file");
  });

  it("survives whatever is thrown", () => {
    const cyclic = new Error("cycle");
    cyclic.cause = cyclic;
    const data: Record<string, unknown> = {};
    data.self = data;
    const { proxy, revoke } = Proxy.revocable(new Error("gone"), {});
    revoke();
    let depth = 0;
    class Endless extends Error {
      override get cause(): unknown {
        depth += 1;
        return new Endless("again");
      }
    }
    const hostile: unknown[] = [
      cyclic,
      Object.assign(new Error("x"), { response: { data } }),
      proxy,
      new Endless("again"),
      new Proxy(new Error("x"), {
        get() {
          throw new Error("no");
        },
      }),
      Object.assign(new Error("x"), { body: "y".repeat(5_000_000), stdout: Buffer.alloc(3_000_000, "z") }),
      Object.assign(new Error("x"), { issues: Array.from({ length: 1e6 }, () => ({ a: 1 })) }),
      Object.assign(new Error("x"), { errors: { length: Infinity }, code: Symbol("s"), detail: 1n }),
      Object.create(null),
      "text",
      null,
      undefined,
      () => 1,
    ];
    for (const error of hostile) {
      expect((rawError(error) ?? "").length).toBeLessThanOrEqual(200_010);
      expect(typeof recordError(error, "tool_failed").message).toBe("string");
    }
    expect(depth).toBeLessThan(50);
  });

  it("is nothing for our own errors without a foreign cause, and is left out for flows and screens", () => {
    const ours = new HoldpointError("usage", "no", { fix: "do" });
    expect(recordError(ours, "tool_failed")).toEqual({ code: "usage", message: "no", fix: "do" });
    const wrapped = new HoldpointError("model_failed", "no", { cause: new Error("deep") });
    expect(recordError(wrapped, "tool_failed").raw).toMatch(/^Error: deep/);
    const echoed = new HoldpointError("step_failed", "no", { cause: { code: "step_failed", message: "no" } });
    expect(recordError(echoed, "flow_failed")).toEqual({ code: "step_failed", message: "no" });
    expect(toErrorInfo(new Error("x"), "internal")).toEqual({ code: "internal", message: "x" });
    expect(withoutRaw({ code: "a", message: "b", raw: "c" })).toEqual({ code: "a", message: "b" });
  });
});
