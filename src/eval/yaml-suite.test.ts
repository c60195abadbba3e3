import { describe, expect, it } from "vitest";
import { z } from "zod";
import { agent } from "../core/agent.ts";
import { tool } from "../core/tool.ts";
import { agentProblems } from "./agent-problems.ts";
import { readSuite } from "./suite-problems.ts";
import { parseYamlSuite } from "./yaml-suite.ts";

/** What is wrong, as `line: message -> fix`. */
function problemsOf(text: string): readonly string[] {
  const parsed = parseYamlSuite(text);
  if (!parsed.ok) return [`${parsed.line}: ${parsed.message}`];
  const { suite, problems } = readSuite(parsed.value);
  const all = suite
    ? agentProblems(suite, (each) => ((each.agent ?? suite.agent) === desk.name ? desk : null), [desk])
    : problems;
  return all.map(({ path, message, fix }) => `${parsed.lineOf(path)}: ${message} -> ${fix}`);
}

const issueRefund = tool({
  name: "issue_refund",
  description: "Pays.",
  input: z.object({}),
  run: () => null,
});
const desk = agent({ name: "desk", tools: [issueRefund] });

const head = "name: suite\nagent: desk\ncases:\n";

describe("a suite in YAML", () => {
  it("is read with all its members", () => {
    const text = `${head}  - name: one
    input: { a: 1 }
    people: [{ tool: issue_*, args: { cents: { $lte: 5 } }, say: edit, with: { cents: 1 } }, { tool: "*", say: done, value: 1 }, { kind: escalation, say: continue }, { say: answer, value: 1 }, { kind: question, say: ignore }]
    limits: { time: 30s, tokens: 1000 }
    clock: 2026-01-05T09:00:00Z
    expect: { result: { a: { $gt: 0 } }, schema: { type: object }, actions: [{ tool: issue_refund, times: { min: 1 } }] }
    never: [{ request: escalation, tool: issue_refund }, { tool: issue_refund, withoutApproval: true }, { request: any }, { windowTokens: 8000 }]
`;
    expect(problemsOf(text)).toEqual([]);
  });

  it.each([
    ["", /^1: the suite: .*object/],
    ["name: suite\ncases: []\n", /^2: cases are none: a suite needs at least one -> Write a list of cases/],
    ["name: suite\ncases:\n  - name: one\n", /^3: case "one" names no agent -> Write agent:/],
    [`${head}  - name: one\n  - name: one\n`, /^5: another case is called "one" -> Rename one/],
    [`${head}  - name: one\n    expects: {}\n`, /^5: unknown member "expects" -> Did you mean expect\?/],
    [
      `${head}  - name: one\n    people:\n      - say: aprove\n`,
      /^6: say is none of those there are -> Write one of: approve, edit/,
    ],
    [`${head}  - name: one\n    people:\n      - say: answer\n`, /^6: say: answer comes without value/],
    [
      `${head}  - name: one\n    people:\n      - kind: approval\n        say: continue\n`,
      /^7: no approval takes say: continue -> Write one of: approve, edit, reject, ignore/,
    ],
    [
      `${head}  - name: one\n    people:\n      - { tool: issue_refund, say: answer, value: 1 }\n`,
      /^6: no request about an action \(tool:\) takes say: answer -> Write one of: approve, .* done, not_done/,
    ],
    [
      `${head}  - name: one\n    people:\n      - { kind: question, tool: issue_refund, say: reject }\n`,
      /^6: a question is about no action, so tool never fits one/,
    ],
    [
      `${head}  - name: one\n    never:\n      - { request: question, tool: issue_refund }\n`,
      /^6: a question is about no action/,
    ],
    [
      `${head}  - name: one\n    expect:\n      actions:\n        - tool: issue_refund\n          times: { min: 5, max: 2 }\n`,
      /^8: min 5 is over max 2: no number is both/,
    ],
    [
      `${head}  - name: one\n    expect:\n      error: flow_failed\n`,
      /^6: a thread that completes has no error flow_failed -> Write outcome: failed/,
    ],
    [`${head}  - name: one\n    agent: dusk\n`, /^5: there is no agent "dusk" here -> Did you mean desk\?/],
    [
      `${head}  - name: one\n    expect:\n      actions:\n        - args: {}\n          tool: isue_refund\n`,
      /^8: no agent here has a tool "isue_refund" -> Did you mean issue_refund\?/,
    ],
    [
      `${head}  - name: one\n    never:\n      - tool: pay\n`,
      /^6: no agent here has a tool "pay" -> There are: issue_refund/,
    ],
    [
      `${head}  - name: one\n    never:\n      - withoutApproval: true\n`,
      /^6: the rule forbids everything, or nothing/,
    ],
    [
      `${head}  - name: one\n    never:\n      - { modelCalls: 3, tool: pay }\n`,
      /^6: modelCalls and tool are not of one rule/,
    ],
    [
      `${head}  - name: one\n    expect:\n      result:\n        a:\n          $mathces: x\n`,
      /^8: there is no operator "\$mathces" -> Did you mean \$matches\?/,
    ],
    [`${head}  - name: one\n    expect:\n      matches: "("\n`, /^6: matches is no regular expression/],
    [`${head}  - name: one\n    expect:\n      schema: { type: strin }\n`, /^6: .*strin/],
    [
      `${head}  - name: one\n    expect:\n      paths:\n        "$.a[": 1\n`,
      /^7: .*cannot be read in a path/,
    ],
    [`${head}  - name: one\n    limits: { time: soon }\n`, /^5: time is no duration/],
    [`${head}  - name: one\n    clock: tomorrow\n`, /^5: clock is no time such as/],
    [`${head}  - name: one\n   broken: [\n`, /^[45]: /],
    ["name: a\nname: b\n", /^2: Map keys must be unique/],
    [
      "a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\ne: [*d, *d]\n",
      /^1: .*alias/,
    ],
    [`${head}  - name: one\n    input: &x { a: *x }\n`, /^1: .*circular/],
  ])("%j is refused with its line", (text, expected) => expect(problemsOf(text)[0]).toMatch(expected));

  it("tells all that is wrong", () => {
    expect(problemsOf(`${head}  - name: one\n    input: 1\n    foo: 1\n    bar: 2\n`)).toHaveLength(2);
  });
});
