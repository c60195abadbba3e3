import { mayDecide } from "./check-prompt.ts";
import { type CheckCode, finding } from "./codes.ts";
import type { CheckContext, Finding } from "./finding.ts";

/** Far above what a thread with a purpose needs; the time is in milliseconds. */
const most = {
  steps: 1_000,
  tokens: 50_000_000,
  activeTime: 24 * 3_600_000,
  attemptsPerTool: 100,
  identicalCalls: 100,
  invalidOutputs: 100,
  modelFailures: 100,
};

/** Limits are set, and sane. */
export function checkLimits({ agent }: CheckContext): readonly Finding[] {
  if (!mayDecide(agent)) return [];
  const { limits, tools, window, maxOutputTokens, modelTimeoutMs } = agent;
  const off = (Object.keys(most) as (keyof typeof most)[]).filter((name) => limits[name] > most[name]);
  const full = window.budget + maxOutputTokens;
  const longest = Math.max(modelTimeoutMs, ...[...tools.values()].map(({ timeoutMs }) => timeoutMs));
  return [
    ...off.map((name) => found("limit_off", `limits.${name} is ${limits[name]}`, name)),
    ...(limits.steps < 2 && tools.size > 0 ? [found("limit_steps_low", "limits.steps is 1", "steps")] : []),
    ...(limits.tokens < full
      ? [
          found(
            "limit_tokens_low",
            `limits.tokens is ${limits.tokens}, and one call may take ${full}`,
            "tokens",
          ),
        ]
      : []),
    ...(limits.activeTime < longest
      ? [
          found(
            "limit_time_low",
            `limits.activeTime is ${limits.activeTime / 1_000} s, and one call may take ${longest / 1_000} s`,
            "activeTime",
          ),
        ]
      : []),
  ];
}

function found(code: CheckCode, message: string, text: string): Finding {
  return finding(code, { kind: "limits", text }, message);
}
