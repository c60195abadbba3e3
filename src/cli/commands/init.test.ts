import { describe, expect, it } from "vitest";
import { nextCommands } from "./init.ts";

describe("what is next after init", () => {
  const installed = ["cd my-agent", "npm install", "npm start"];

  it("is to run it from a clone's folder, when it was made inside", () => {
    const [command, ...others] = nextCommands("my-agent", "work/my agent", true);
    expect(command).toMatch(/^npm run holdpoint -- run 'work\/my agent\/agent\.ts' "My order A7/);
    expect(others).toEqual([]);
  });

  it("is to install it anywhere else", () => {
    expect(nextCommands("my-agent", "../my-agent", true)).toEqual(installed);
    expect(nextCommands("my-agent", "../../app/my-agent", false)).toEqual(installed);
    expect(nextCommands(".", "../my-agent", true)).toEqual(["npm install", "npm start"]);
  });
});
