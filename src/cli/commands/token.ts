import { InvalidArgumentError, Option } from "commander";
import { type Duration, durationMs } from "../../core/duration.ts";
import type { TokenRow, TokenScope } from "../../ports/token-store.ts";
import { createToken, isUsable, tokenScopes } from "../../server/tokens.ts";
import type { AddCommand } from "../command-line.ts";
import { type Context, withStore } from "../context.ts";
import { formatDistance, formatTime, line } from "../format.ts";
import type { CommandResult } from "../screen.ts";
import { assertOwnName } from "../settings.ts";

interface CreateOptions {
  readonly principal: string;
  readonly scope: readonly TokenScope[];
  readonly role?: readonly string[];
  readonly expires?: number;
}

/** The tokens of the HTTP service. Whoever can write the store's file may make them. */
export const addToken: AddCommand = (program, run) => {
  const token = program.command("token").description("make, list and revoke the tokens of the HTTP service");
  token
    .command("create")
    .description("make a token; its text is shown once, and only its SHA-256 is kept")
    .requiredOption("--principal <who>", "whom it stands for, as recorded with all that is done with it")
    .addOption(
      new Option(
        "--scope <scopes>",
        `what it may do: ${tokenScopes.join(", ")} (all of them); by commas or repeated`,
      )
        .argParser(scopes)
        .makeOptionMandatory(),
    )
    .option("--role <role>", "a role of its bearer, as approvers are named; may be repeated", words)
    .option(
      "--expires <time>",
      "how long it can be used, such as 90d (default: until it is revoked)",
      duration,
    )
    .action(run<CreateOptions>((context, _args, options) => create(context, options)));
  token
    .command("list")
    .description("list the tokens: whom they stand for, what they may do, when they were used")
    .action(run((context) => list(context)));
  token
    .command("revoke")
    .description("make a token useless, from its next request on")
    .argument("<token>", "its id, tk_…")
    .action(run((context, [tokenId = ""]) => revoke(context, tokenId)));
};

async function create(context: Context, options: CreateOptions): Promise<CommandResult> {
  const { principal, scope, role = [], expires } = options;
  assertOwnName(principal, context.settings.people);
  return withStore(context, "create", async ({ tokens }) => {
    const { text, row } = await createToken(tokens, {
      principal,
      scopes: scope,
      roles: role,
      ...(expires !== undefined && { expiresInMs: expires }),
      by: context.settings.principal,
      now: Date.now(),
    });
    const what = `${row.tokenId} for ${line(row.principal, 80)}: ${row.scopes.join(", ")}`;
    context.screen.note(`${what}. This is the only time it is shown.`);
    return { document: { token: text, ...row }, lines: [text] };
  });
}

async function list(context: Context): Promise<CommandResult> {
  return withStore(context, "read", async ({ tokens }) => {
    const rows = await tokens.list();
    const now = Date.now();
    const lines = rows.map((row) => describeToken(row, now));
    return { document: { tokens: rows }, lines: rows.length === 0 ? ["No tokens."] : lines };
  });
}

function describeToken(row: TokenRow, now: number): string {
  const { tokenId, principal, scopes, roles, usedAt } = row;
  const may = [...scopes, ...roles.map((role) => `role:${role}`)].join(" ");
  const used = usedAt === null ? "never used" : `used ${formatDistance(usedAt, now)}`;
  return `${tokenId}  ${line(principal, 60)}  ${may}  ${stateOf(row, now)}, ${used}`;
}

function stateOf(row: TokenRow, now: number): string {
  const { revokedAt, expiresAt } = row;
  if (revokedAt !== null) return `revoked ${formatTime(revokedAt)}`;
  if (expiresAt === null) return "no end";
  return `${isUsable(row, now) ? "expires" : "expired"} ${formatTime(expiresAt)}`;
}

async function revoke(context: Context, tokenId: string): Promise<CommandResult> {
  return withStore(context, "write", async ({ tokens }) => {
    const row = await tokens.revoke(tokenId, new Date().toISOString());
    return { document: row, lines: [`${row.tokenId} for ${line(row.principal, 80)} is revoked`] };
  });
}

function words(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...value.split(",").map((word) => word.trim())];
}

function scopes(value: string, before?: readonly string[]): readonly string[] {
  const given = words(value, before);
  const unknown = given.find((word) => !tokenScopes.some((scope) => scope === word));
  if (unknown === undefined) return given;
  throw new InvalidArgumentError(`There is no scope "${unknown}": ${tokenScopes.join(", ")}.`);
}

function duration(text: string): number {
  try {
    return durationMs(text as Duration); // it refuses what is none
  } catch {
    throw new InvalidArgumentError("Write a time such as 12h or 90d.");
  }
}
