// Issues that validators print as text: pydantic, zod's prettified form, ajv, Rails and Java Bean Validation.

const maxIssues = 3;

/** The first issues as `path: message`, or `undefined`. */
export function readValidation(lines: readonly string[]): string | undefined {
  const found = pydantic(lines) ?? pretty(lines) ?? inline(lines);
  if (found === undefined || found.length === 0) return undefined;
  const more = found.length > maxIssues ? `; and ${found.length - maxIssues} more` : "";
  return `${found.slice(0, maxIssues).join("; ")}${more}`;
}

/** `2 validation errors for Order`, then a path and an indented message in turns. */
function pydantic(lines: readonly string[]): readonly string[] | undefined {
  const start = lines.findIndex((line) => /\b\d+ validation errors? for \w/.test(line));
  if (start < 0) return undefined;
  const issues: string[] = [];
  for (let index = start + 1; index + 1 < lines.length; index += 1) {
    const [path = "", message = ""] = [lines[index], lines[index + 1]];
    const isIssue = /^\s{0,2}[\w.[\]`<>,() -]{1,200}$/.test(path) && /^\s{2,8}\S/.test(message);
    if (!isIssue) continue;
    issues.push(`${path.trim()}: ${message.trim().replace(/ ?\[type=.*$| ?\(type=.*$/, "")}`);
  }
  return issues;
}

/** `✖ Invalid input: expected number` above `  → at items[0].qty`. */
function pretty(lines: readonly string[]): readonly string[] | undefined {
  const issues = lines.flatMap((line, index) => {
    const message = /^\s*✖ (.{1,300})$/.exec(line)?.[1];
    if (message === undefined) return [];
    const path = /^\s*→ at (.{1,200})$/.exec(lines[index + 1] ?? "")?.[1];
    return [path === undefined ? message : `${path}: ${message}`];
  });
  return issues.length > 0 ? issues : undefined;
}

const inlineShapes: readonly RegExp[] = [
  /\b(data(?:[/.[][\w/.[\]]{0,200})? must (?:be|have|NOT|match|not) .{1,400})/,
  /\bValidation failed: (.{1,400})/,
  /\bvalidation failed: ([a-z]\w{0,60}: .{1,400})/,
  /\b(Field error in object '.{1,80}' on field '.{1,80}': rejected value \[.{0,80}?\]).{0,600}default message \[(?!.*default message)([^\]]{1,200})\]/,
];

function inline(lines: readonly string[]): readonly string[] | undefined {
  for (const line of lines) {
    for (const shape of inlineShapes) {
      const found = shape.exec(line);
      if (found) return [found.slice(1).filter(Boolean).join(": ")];
    }
  }
  return undefined;
}
