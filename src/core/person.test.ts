import { expect, it } from "vitest";
import { peopleFor, rolesOf } from "./person.ts";

const dana = { id: "dana@example.com", roles: ["lead"] };
const kim = { id: "kim@example.com", roles: ["lead", "buyer"] };
const impostor = { id: "role:lead" };
const people = [dana, kim, impostor];

it("people for approvers are those named by id or role, and all when nobody is", () => {
  expect(peopleFor(["role:buyer", "dana@example.com"], people)).toEqual([dana, kim]);
  expect(peopleFor(["role:lead"], people)).toEqual([dana, kim]);
  expect(peopleFor([], people)).toEqual(people);
  expect(peopleFor(["lee@example.com"], people)).toEqual([]);
});

it("roles are those of the directory", () => {
  expect(rolesOf("kim@example.com", people)).toEqual(["lead", "buyer"]);
  expect(rolesOf("lee@example.com", people)).toEqual([]);
});
