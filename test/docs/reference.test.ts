// The reference says what the source says. Its API page is made from api-extractor's doc model, which takes too long here:
// `npm run check:package` looks at that one.
import { expect, test } from "vitest";
import { committedPage, sourcePages } from "../../scripts/reference.ts";

const pages = await sourcePages();

test.each([...pages])("docs/reference/%s is up to date (else: npm run reference)", (name, text) => {
  expect(committedPage(name)).toBe(text);
});
