import { expect, test } from "vitest";
import type { TokenRow } from "../ports/token-store.ts";
import { principalOf, type Service } from "./service.ts";

test("a token's bearer has the token's roles, and those that the directory of people gives", () => {
  const people = [
    { id: "dana@example.com", roles: ["lead", "desk"] },
    { id: "sam@example.com", roles: ["owner"] },
  ];
  const service = { people } as unknown as Service; // it looks at nothing else
  const token = { principal: "dana@example.com", roles: ["desk", "night"] } as unknown as TokenRow;
  expect(principalOf(service, token)).toEqual({ by: "dana@example.com", roles: ["desk", "night", "lead"] });
  expect(principalOf(service, { ...token, principal: "ci" })).toEqual({ by: "ci", roles: ["desk", "night"] });
});
