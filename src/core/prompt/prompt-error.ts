import { HoldpointError } from "../errors.ts";

/** Fails at one line of a prompt: `name:line: what`. */
export type FailAt = (line: number, what: string, fix: string, variable?: string) => never;

export function failIn(name: string): FailAt {
  return (line, what, fix, variable) => {
    throw new HoldpointError("prompt_invalid", `${name}:${line}: ${what}`, {
      fix,
      details: { prompt: name, line, ...(variable === undefined ? {} : { variable }) },
    });
  };
}
