import { expect, it } from "vitest";
import { fixture, newProject } from "./command.ts";

it.each([
  { name: "the package's own command", env: {}, program: "holdpoint" },
  {
    name: "the clone's script",
    env: { npm_command: "run-script", npm_lifecycle_event: "holdpoint" },
    program: "npm run holdpoint --",
  },
])("shows commands as they have to be typed after $name", async ({ env, program }) => {
  const { start } = newProject();
  const args = ["run", fixture("desk.ts"), '{"orderId": "A7", "cents": 5}'];
  const { code, stdout } = await start(args, { env }).ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^ +${program} approve r_\\w+`, "m"));
});
