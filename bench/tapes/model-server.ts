// The recorded model behind OpenAI's chat completions. The model's name says which recording; the request says which turn.
import type { ServerResponse } from "node:http";
import { gptTokenizer } from "../../test/kit/exact-tokens.ts";
import type { TapeTurn } from "../../test/kit/tape.ts";
import { listen, sendJson } from "./http.ts";
import { type ChatMessage, type Matched, type Matching, matchRequest } from "./match-request.ts";
import type { Recording } from "./recordings.ts";

export interface ModelServer {
  readonly url: string;
  /** Requests that were answered. */
  readonly asked: number;
  /** Asked again for a turn: the process that had asked before was killed. */
  readonly askedAgain: number;
  /** Of them, those whose answer was in the log already. Nobody pays for a decision twice. */
  readonly paidAgain: readonly string[];
  /** Requests that hold something else than was recorded. */
  readonly differences: readonly string[];
  /** The largest request, counted by the tokenizer of these models, whatever the window's counter says. */
  readonly largestTokens: number;
  readonly overBudget: number;
  /** Of requests in which not every turn so far is shown whole: recording and turn. */
  readonly compacted: readonly { readonly id: string; readonly turn: number }[];
  /** Of them, those in which no turn is shown at all: everything so far is told in short. */
  readonly toldWholly: number;
  /** Results that were shown by a reference to what was recorded. */
  readonly referenced: number;
  /** From now on the decisions of these turns are known to be in the log. */
  noteRecorded(id: string, turns: number): void;
  close(): Promise<void>;
}

export interface ModelServerOptions {
  readonly matching: Matching;
  /** Most tokens that a request may have. Default: any number. */
  readonly budget?: number;
}

interface ChatRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly ChatMessage[];
  readonly tools?: unknown;
}

export async function openModelServer(
  recordings: readonly Recording[],
  { matching, budget = Number.POSITIVE_INFINITY }: ModelServerOptions,
): Promise<ModelServer> {
  const byId = new Map(recordings.map((recording) => [recording.id, recording]));
  const askedFor = new Map<string, number>();
  const recorded = new Map<string, number>();
  const counts = { asked: 0, askedAgain: 0, largestTokens: 0, overBudget: 0, toldWholly: 0, referenced: 0 };
  const compacted: { readonly id: string; readonly turn: number }[] = [];
  const [paidAgain, differences]: [string[], string[]] = [[], []];

  const { url, close } = await listen((_path, body, response) => {
    const request = JSON.parse(body) as ChatRequest; // our own runtime sent it; what it holds is checked
    const recording = byId.get(request.model);
    if (!recording) return refuse(response, `there is no recording ${request.model}`);
    const matched = matchRequest(recording, request.messages, matching);
    if (matched.kind === "difference") return refuse(response, `${request.model}: ${matched.why}`);
    const tokens = tokensOf(request);
    noteSize(tokens);
    noteCompacted(recording.id, matched);
    notePaid(recording.id, matched.turn);
    const turn = recording.turns[matched.turn] as TapeTurn; // one of those that were matched
    (request.stream ? stream : answerAtOnce)(response, turn, tokens);
  });

  function refuse(response: ServerResponse, why: string): void {
    differences.push(why);
    sendJson(response, 400, { error: { message: why, type: "recording_differs" } });
  }

  function noteCompacted(id: string, { turn, shown, referenced }: Extract<Matched, { kind: "turn" }>): void {
    counts.referenced += referenced;
    if (shown === 0 && turn > 0) counts.toldWholly += 1;
    if (shown < turn || referenced > 0) compacted.push({ id, turn });
  }

  function noteSize(tokens: number): void {
    counts.largestTokens = Math.max(counts.largestTokens, tokens);
    if (tokens > budget) counts.overBudget += 1;
  }

  function notePaid(id: string, turn: number): void {
    const key = `${id} turn ${turn}`;
    const before = askedFor.get(key) ?? 0;
    askedFor.set(key, before + 1);
    counts.asked += 1;
    if (before > 0) counts.askedAgain += 1;
    if (turn < (recorded.get(id) ?? 0)) paidAgain.push(key);
  }

  return {
    url,
    get asked() {
      return counts.asked;
    },
    get askedAgain() {
      return counts.askedAgain;
    },
    get largestTokens() {
      return counts.largestTokens;
    },
    get overBudget() {
      return counts.overBudget;
    },
    get toldWholly() {
      return counts.toldWholly;
    },
    get referenced() {
      return counts.referenced;
    },
    compacted,
    paidAgain,
    differences,
    noteRecorded: (id, turns) => void recorded.set(id, turns),
    close,
  };
}

/** Contents, calls and tools, and four tokens a message, as OpenAI's cookbook counts. */
function tokensOf({ messages, tools }: ChatRequest): number {
  const { count } = gptTokenizer;
  return messages.reduce(
    (total, { content, tool_calls }) =>
      total + 4 + count(content ?? "") + (tool_calls ? count(JSON.stringify(tool_calls)) : 0),
    tools ? count(JSON.stringify(tools)) : 0,
  );
}

function answerAtOnce(response: ServerResponse, turn: TapeTurn, tokens: number): void {
  const message = {
    role: "assistant",
    content: turn.text === "" ? null : turn.text,
    tool_calls: toolCalls(turn),
  };
  const choice = { index: 0, message, finish_reason: finishOf(turn) };
  sendJson(response, 200, {
    id: "tape",
    created: 1,
    model: "tape",
    choices: [choice],
    usage: usageOf(turn, tokens),
  });
}

function stream(response: ServerResponse, turn: TapeTurn, tokens: number): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const chunk = (delta: object, rest: object = {}): void => {
    const body = { id: "tape", created: 1, model: "tape", choices: [{ index: 0, delta, ...rest }] };
    response.write(
      `data: ${JSON.stringify({ ...body, ...("finish_reason" in rest && { usage: usageOf(turn, tokens) }) })}\n\n`,
    );
  };
  if (turn.text !== "") chunk({ role: "assistant", content: turn.text });
  for (const [index, call] of (toolCalls(turn) ?? []).entries()) chunk({ tool_calls: [{ index, ...call }] });
  chunk({}, { finish_reason: finishOf(turn) });
  response.end("data: [DONE]\n\n");
}

function toolCalls(turn: TapeTurn) {
  if (turn.kind === "reply") return undefined;
  return turn.calls.map(({ tool, args }, index) => ({
    id: `call_${index}`,
    type: "function",
    function: { name: tool, arguments: JSON.stringify(args) },
  }));
}

function finishOf(turn: TapeTurn): string {
  return turn.kind === "calls" ? "tool_calls" : "stop";
}

function usageOf(turn: TapeTurn, tokens: number): object {
  const output = gptTokenizer.count(turn.text) + gptTokenizer.count(JSON.stringify(toolCalls(turn) ?? ""));
  return { prompt_tokens: tokens, completion_tokens: output, total_tokens: tokens + output };
}
