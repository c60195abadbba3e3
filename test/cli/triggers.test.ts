// Schedules and keys from the command line: real processes on one file.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { migrate, migrations } from "../../src/stores/sqlite/schema.ts";
import { openSqliteStore } from "../../src/stores/sqlite/store.ts";
import { schedule } from "../../src/triggers/schedule.ts";
import { fixture, newProject, type Project } from "./command.ts";

const flows = fixture("flows.ts");

/** Everything since long ago is missed: one look starts the newest of it. */
const yearly = { name: "yearly", agent: "echo", cron: "@yearly", input: "happy new year" };

function projectWith(config: Readonly<Record<string, unknown>>): Project {
  const project = newProject();
  project.write("holdpoint.config.json", JSON.stringify({ agents: [flows], ...config }));
  return project;
}

/** As a worker would have, on a day long ago. */
async function registerLongAgo({ folder }: Project): Promise<void> {
  const store = await openSqliteStore({ path: join(folder, ".holdpoint/holdpoint.db") });
  const { name, definition } = schedule(yearly);
  await store.schedules.register({ name, definition, now: Date.UTC(2020, 5, 1) });
  await store.close();
}

it("worker --once starts what is due, once, and schedules tells of it", async () => {
  const project = projectWith({ schedules: [yearly] });
  expect((await project.json("schedules")).document.schedules).toMatchObject([
    {
      name: "yearly",
      lastTick: null,
      nextTick: expect.stringMatching(/-01-01T00:00:00\.000Z$/),
      paused: false,
    },
  ]);
  await registerLongAgo(project);
  expect((await project.json("worker", "--once")).document).toEqual({ threads: 1, ticks: 1, problems: [] });
  expect((await project.json("worker", "--once")).document).toEqual({ threads: 0, ticks: 0, problems: [] });
  const { document } = await project.json("threads");
  expect(document.threads).toMatchObject([{ agent: "echo", status: "completed", title: '"happy new year"' }]);
  const { stdout } = await project.run("schedules");
  expect(stdout).toContain("yearly: starts echo at @yearly (UTC), missed: once\n");
  expect(stdout).toContain(`thread ${document.threads[0].threadId}`);
});

it("schedules pause and resume: who did it is told, and nothing is made up for", async () => {
  const project = projectWith({ schedules: [yearly] });
  await registerLongAgo(project);
  const paused = await project.json("schedules", "pause", "yearly", "--as", "dana@example.com");
  expect(paused).toMatchObject({
    code: 0,
    document: { schedule: { name: "yearly", paused: true, pausedBy: "dana@example.com", nextTick: null } },
  });
  expect((await project.json("worker", "--once")).document.ticks).toBe(0);
  expect((await project.json("schedules", "resume", "yearly")).document.schedule).toMatchObject({
    paused: false,
  });
  expect((await project.json("worker", "--once")).document.ticks).toBe(0);
});

it("a schedule can be paused before its first worker starts", async () => {
  const project = projectWith({ schedules: [yearly] });
  expect((await project.json("schedules", "pause", "yearly")).document.schedule.paused).toBe(true);
});

it("a worker starts ticks as they come", async () => {
  const project = projectWith({ schedules: [{ name: "often", agent: "echo", cron: "* * * * * *" }] });
  const worker = project.start(["worker"]);
  await worker.until("completed");
  worker.child.kill("SIGTERM");
  expect(await worker.ended).toMatchObject({ code: 0 });
  const { document } = await project.json("schedules");
  expect(document.schedules).toMatchObject([
    { lastTick: expect.any(String), lastThread: expect.stringMatching(/^th_/) },
  ]);
});

it.each([
  ["pause", ["schedules", "pause"], /pause which one/],
  ["an unknown one", ["schedules", "pause", "yearl"], /there is no schedule "yearl"/],
  ["an unknown action", ["schedules", "stop", "yearly"], /stop/],
])("schedules refuses %s", async (_name, args, message) => {
  const project = projectWith({ schedules: [yearly] });
  await registerLongAgo(project);
  const { code, document } = await project.json(...args);
  expect(code).toBe(2);
  expect(document.error).toMatchObject({
    code: "usage",
    message: expect.stringMatching(message),
    fix: expect.any(String),
  });
});

it.each([
  [
    "an unknown agent",
    { ...yearly, agent: "ecko" },
    ["worker", "--once"],
    /schedule yearly: there is no agent "ecko"/,
  ],
  [
    "an invalid cron expression",
    { ...yearly, cron: "61 * * * *" },
    ["threads"],
    /schedule "yearly": "61 \* \* \* \*"/,
  ],
  ["an unknown time zone", { ...yearly, timezone: "Nowhere" }, ["threads"], /no time zone "Nowhere"/],
])("a config with %s is refused", async (_name, entry, args, message) => {
  const { code, document } = await projectWith({ schedules: [entry] }).json(...args);
  expect(code).toBe(2);
  expect(document.error.message).toMatch(message);
});

it("a worker of other agents leaves a schedule to others", async () => {
  const project = projectWith({ schedules: [{ ...yearly, agent: "elsewhere" }] });
  const { code, document, stderr } = await project.json("worker", "--once", "--agent", flows);
  expect({ code, document }).toEqual({ code: 0, document: { threads: 0, ticks: 0, problems: [] } });
  expect(stderr).toContain("schedule yearly is left to others");
});

it("commands that serve no webhook need no secret of one, and hide those that are set", async () => {
  const entry = { name: "shop", verify: "github", secretVariables: ["SHOP_SECRET"], agent: "echo" };
  const project = projectWith({ webhooks: [entry] });
  expect((await project.json("run", "echo", '"hello"')).code).toBe(0);
  const ran = project.start(["run", "echo", '"it is a well kept secret"', "--json"], {
    env: { SHOP_SECRET: "a well kept secret" },
  });
  expect((await ran.ended).stdout).toContain("[secret SHOP_SECRET]");
});

it("the service says which webhooks and schedules it has", async () => {
  const entry = { name: "shop", verify: "github", secretVariables: ["SHOP_SECRET"], agent: "echo" };
  const project = projectWith({ webhooks: [entry], schedules: [yearly] });
  const running = project.start(["serve", "--port", "0"], {
    input: null,
    env: { SHOP_SECRET: "a well kept secret" },
  });
  await running.until("with webhooks /hooks/shop; schedules yearly");
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
});

it("a store of an older version is brought up to date, also by a command that only reads", async () => {
  const project = projectWith({ store: "old.db" });
  const database = new DatabaseSync(join(project.folder, "old.db"));
  database.exec("PRAGMA journal_mode = WAL");
  migrate(database, migrations.slice(0, 1));
  database.close();
  expect((await project.json("threads")).document.threads).toEqual([]);
  expect((await project.json("schedules")).document).toEqual({ schedules: [] });
});

it("run --key: four processes at once start one thread", async () => {
  const project = projectWith({});
  const runs = await Promise.all(
    Array.from({ length: 4 }, () => project.json("run", "echo", '"once"', "--key", "mail-7")),
  );
  expect(runs.filter(({ document }) => document.created)).toHaveLength(1);
  expect(new Set(runs.map(({ document }) => document.threadId)).size).toBe(1);
  expect((await project.json("threads")).document.threads).toHaveLength(1);
});
