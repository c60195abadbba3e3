// The curl examples of docs/http.md, sent as they stand there.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { agent } from "../../src/core/agent.ts";
import { servicesOfEachTest } from "../kit/http.ts";
import { calls, payTool, turns } from "../kit/runtime.ts";

const open = servicesOfEachTest();
const page = readFileSync(join(import.meta.dirname, "../../docs/http.md"), "utf8");
const examples = [...page.matchAll(/^curl .*$/gm)].map(([line]) => line);

/** The words of a command, as a shell has them; `$NAME` is filled in. */
function wordsOf(line: string, variables: Readonly<Record<string, string>>): readonly string[] {
  const filled = line.replaceAll(/\$([A-Z]+)/g, (_, name: string) => variables[name] ?? `no $${name}`);
  return [...filled.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? "",
  );
}

test("the examples of docs/http.md do what the page says", async () => {
  const model = turns(calls(["pay", { cents: 4_200 }]), { text: "paid" });
  const desk = agent({ name: "desk", prompt: "Work.", model, tools: [payTool({ risk: "high" })] });
  const service = await open({ agents: [desk] });
  const variables: Record<string, string> = {
    URL: "",
    TOKEN: await service.token(["read", "run", "decide"]),
  };

  async function curl(line: string): Promise<string> {
    const words = wordsOf(line, variables).slice(1);
    const given = (option: string) =>
      words.flatMap((word, index) => (word === option ? [words[index + 1] ?? ""] : []));
    const headers = given("-H").map((header) => [
      /^[\w-]+/.exec(header)?.[0].toLowerCase(),
      header.replace(/^[\w-]+: /, ""),
    ]);
    const path = words.find((word) => word.startsWith("/")) ?? "";
    const [rawBody] = given("-d");
    const response = await service.send(path, {
      token: null,
      headers: Object.fromEntries(headers),
      ...(rawBody !== undefined && { rawBody }),
    });
    expect([line, Math.floor(response.status / 100)]).toEqual([line, 2]);
    return response.text();
  }

  const [start, show, list, request, verdict, follow, grant, flag, ...others] = examples;
  expect(others).toEqual([]);
  variables.THREAD = JSON.parse(await curl(start ?? "")).threadId;
  await service.settle(variables.THREAD ?? "");
  expect(JSON.parse(await curl(show ?? ""))).toMatchObject({ status: "waiting" });
  variables.REQUEST = JSON.parse(await curl(list ?? "")).requests[0].requestId;
  expect(JSON.parse(await curl(request ?? ""))).toMatchObject({ view: { title: "Approval needed" } });
  expect(JSON.parse(await curl(verdict ?? ""))).toMatchObject({ first: true });
  await service.settle(variables.THREAD ?? "");
  expect(await curl(follow ?? "")).toContain('"type":"thread_completed"');
  expect(JSON.parse(await curl(grant ?? ""))).toMatchObject({ standing: { status: "open", uses: 10 } });
  expect(JSON.parse(await curl(flag ?? ""))).toMatchObject({ key: "act:pay#1", first: true });
});
