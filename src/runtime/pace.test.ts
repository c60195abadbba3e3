import { expect, test } from "vitest";
import { createPace } from "./pace.ts";

test("of many that come at once, few go on before others had their turn, and all do in order", async () => {
  const pace = createPace(3);
  const wentOn: number[] = [];
  const all = Array.from({ length: 10 }, (_, number) => pace().then(() => wentOn.push(number)));
  const turns: number[] = [];
  while (wentOn.length < 10) {
    await new Promise(setImmediate); // as whatever a socket brings would
    turns.push(wentOn.length);
  }
  await Promise.all(all);
  expect(turns).toEqual([3, 6, 9, 10]);
  expect(wentOn).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("one that comes later waits behind those that were there", async () => {
  const pace = createPace(1);
  const wentOn: string[] = [];
  const first = pace().then(() => wentOn.push("first"));
  const second = pace().then(() => wentOn.push("second"));
  await first;
  const third = pace().then(() => wentOn.push("third"));
  await Promise.all([second, third]);
  expect(wentOn).toEqual(["first", "second", "third"]);
});
