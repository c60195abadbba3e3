// For `eval.yaml`: each trial has a shop of its own, so that none takes another's money.
import type { Agent } from "../../src/index.ts";
import type { TrialSetup } from "../../src/testing/index.ts";
import { supportDesk } from "./agent.ts";
import { chooseModel } from "./choose-model.ts";

export default function makeDesk({ folder }: TrialSetup): Agent {
  return supportDesk({ data: folder, model: chooseModel(process.env).model });
}
