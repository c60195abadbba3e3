import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { promptFile } from "./prompt-file.ts";

const folder = mkdtempSync(join(tmpdir(), "holdpoint-prompt-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("promptFile", () => {
  it("reads an absolute path, a URL and a URL's text alike", () => {
    const path = write("desk.prompt.md", "Answer {{input}}.");
    const prompt = promptFile(path);
    expect(prompt.name).toBe("desk.prompt.md");
    expect(promptFile(pathToFileURL(path))).toEqual(prompt);
    expect(promptFile(pathToFileURL(path).href)).toEqual(prompt);
  });

  it("refuses a relative path, and says what to write", () => {
    expect(() => promptFile("./desk.prompt.md")).toThrow(
      expect.objectContaining({
        code: "prompt_invalid",
        fix: expect.stringContaining('promptFile(new URL("./desk.prompt.md", import.meta.url))'),
      }),
    );
  });

  it.each([[undefined], [5], [{ path: "x" }]])("refuses %j, which is no path", (path) => {
    expect(() => promptFile(path as unknown as string)).toThrow(
      expect.objectContaining({ code: "prompt_invalid", fix: expect.stringContaining("import.meta.url") }),
    );
  });

  mkdirSync(join(folder, "folder"));
  it.each([
    { name: "no file", path: join(folder, "none.prompt.md"), says: "there is no such file" },
    { name: "a folder", path: join(folder, "folder"), says: "EISDIR" },
    { name: "a URL of the web", path: "file://elsewhere/x", says: "cannot be read" },
    {
      name: "other bytes than UTF-8",
      path: write("latin", Uint8Array.of(0x61, 0xe4, 0x62)),
      says: "it is not UTF-8",
    },
    { name: "too many bytes", path: write("long", Buffer.alloc(1_048_577, "x")), says: "longer than 262144" },
    {
      name: "a mistake, with its line",
      path: write("bad.prompt.md", "a\n{{#input}}"),
      says: "bad.prompt.md:2: {{#input}}",
    },
  ])("says what is wrong with $name", ({ path, says }) => {
    expect(() => promptFile(path)).toThrow(
      expect.objectContaining({ code: "prompt_invalid", message: expect.stringContaining(says) }),
    );
  });
});
