// A client that knows the service from its document alone, as those that others generate do, over a real socket.
import { OpenAPIClientAxios } from "openapi-client-axios";
import { describe, expect, test } from "vitest";
import { agent } from "../../src/core/agent.ts";
import { servicesOfEachTest, type TestService } from "../kit/http.ts";
import { listening } from "../kit/listening.ts";
import { calls, payTool, turns } from "../kit/runtime.ts";

const open = servicesOfEachTest();

/** Calls an operation by its id, with parameters and a body. */
type Call = (id: string, parameters?: unknown, body?: unknown) => Promise<Answer>;

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what each operation answers is looked into where it is used.
  readonly data: any;
}

async function clientOf(service: TestService): Promise<Call> {
  const { url } = await listening(service);
  const definition = JSON.parse(await (await fetch(`${url}/openapi.json`)).text());
  const authorization = `Bearer ${await service.token(["admin"])}`;
  const axiosConfigDefaults = { baseURL: url, headers: { authorization }, validateStatus: () => true };
  const client = await new OpenAPIClientAxios({ definition, axiosConfigDefaults }).init();
  return (id, parameters, body) => {
    const operation = client[id] as ((...given: readonly unknown[]) => Promise<Answer>) | undefined; // as the document has it
    if (!operation) throw new Error(`the document has no operation ${id}`);
    return operation(parameters, body);
  };
}

describe("a client made from the document", () => {
  test("starts a thread, follows it, decides its request, and finds that it ran once", async () => {
    const pay = payTool({ risk: "high" });
    const model = turns(calls(["pay", { cents: 5 }]), { text: "paid" });
    const service = await open({ agents: [agent({ name: "desk", prompt: "Work.", model, tools: [pay] })] });
    const call = await clientOf(service);
    const data = async (...given: Parameters<Call>): Promise<Answer["data"]> => {
      const answer = await call(...given);
      if (answer.status >= 300) throw new Error(`${given[0]}: ${JSON.stringify(answer.data)}`);
      return answer.data;
    };

    const { threadId } = await data("startThread", null, { agent: "desk", input: "go" });
    await service.settle(threadId);
    expect((await data("listThreads", { agent: "desk" })).threads).toHaveLength(1);
    const [{ requestId }] = (await data("listRequests", { status: "open" })).requests;
    const { request } = await data("getRequest", requestId);
    expect(request.action.args).toEqual({ cents: 5, note: "none" });
    const verdict = { verdict: { kind: "approve" }, digest: request.action.digest };
    expect(await data("decideRequest", requestId, verdict)).toMatchObject({
      first: true,
      request: { by: "dana@example.com", via: "http" },
    });
    await service.settle(threadId);
    expect(pay.runs).toHaveLength(1);
    expect(await data("getThread", threadId)).toMatchObject({ status: "completed", output: "paid" });
    const { events } = await data("listEvents", threadId);
    const made = events.find(({ type }: { type: string }) => type === "decision_made");
    expect((await data("getPrompt", { threadId, seq: made.seq })).parts).not.toHaveLength(0);
    const forked = await data("forkThread", threadId, { at: 1 });
    await data("sendSignal", { threadId: forked.threadId, name: "paid" }, { value: 1 });
    await data("cancelThread", forked.threadId, { why: "enough" });
    expect((await data("listAgents")).agents).toMatchObject([{ name: "desk" }]);
    expect((await data("getStats", { by: "agent" })).groups).toMatchObject([{ agent: "desk" }]);
    await data("readyz");
  });

  test("is refused with a problem that says what to do", async () => {
    const call = await clientOf(await open({ agents: [] }));
    const { status, data } = await call("getThread", "th_none");
    expect([status, data.code, typeof data.requestId]).toEqual([404, "thread_not_found", "string"]);
  });
});
