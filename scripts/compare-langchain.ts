// Runs LangChain's own summarizationMiddleware beside test/kit/langchain-summary.ts on the conversations of the facts, and
// fails when they differ: node scripts/compare-langchain.ts <folder in which langchain@1.5.14 is installed>
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { everyNthSentence, keepAll, langchainMessages } from "../test/kit/langchain-summary.ts";
import { readConversations } from "../test/kit/memory-facts.ts";

type Hook = (
  state: { readonly messages: readonly unknown[] },
  runtime: { readonly context: object },
) => Promise<{ readonly messages: readonly { readonly content: string }[] } | undefined>;

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("name the folder in which langchain is installed");
const { resolve } = createRequire(pathToFileURL(join(folder, "package.json")));
const load = (name: string) => import(pathToFileURL(resolve(name).replace(/\.cjs$/, ".js")).href);
const { summarizationMiddleware } = await load("langchain");
const { HumanMessage } = await load("@langchain/core/messages");

const marker = "Messages to summarize:\n";
let compared = 0;
for (const { scenario, messages } of readConversations())
  for (const triggerTokens of [2_000, 4_000, 8_000])
    for (const keepTokens of [undefined, triggerTokens / 2])
      for (const summarize of [keepAll, everyNthSentence(500)]) {
        const invoke = async (prompt: string) => ({
          content: summarize(
            prompt.slice(prompt.indexOf(marker) + marker.length, prompt.lastIndexOf("\n</messages>")),
          ),
        });
        const keep = keepTokens === undefined ? {} : { keep: { tokens: keepTokens } };
        const middleware = summarizationMiddleware({
          model: { invoke },
          trigger: { tokens: triggerTokens },
          ...keep,
        });
        const hook = middleware.beforeModel as Hook;
        let theirs: readonly { readonly content: string }[] = [];
        let ours: readonly string[] = [];
        for (const message of messages) {
          theirs = [...theirs, new HumanMessage(message)];
          theirs = (await hook({ messages: theirs }, { context: {} }))?.messages.slice(1) ?? theirs; // the first removes all
          const options = { triggerTokens, summarize, ...(keepTokens === undefined ? {} : { keepTokens }) };
          ours = langchainMessages([...ours, message], options);
          compared += 1;
          const differs = theirs.findIndex(({ content }, index) => content !== ours[index]);
          if (differs !== -1 || theirs.length !== ours.length)
            throw new Error(`${scenario} at ${triggerTokens}, message ${compared}: differs at ${differs}`);
        }
      }
process.stdout.write(`the same at ${compared} calls\n`);
