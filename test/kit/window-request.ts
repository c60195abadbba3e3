import type { Offer } from "../../src/core/encodings/encoding.ts";
import { encodings } from "../../src/core/encodings/encodings.ts";
import type { ThreadState } from "../../src/core/state.ts";
import type { Tool } from "../../src/core/tool.ts";
import { uncalibrated } from "../../src/core/window/calibration.ts";
import { window } from "../../src/core/window/settings.ts";
import type { WindowRequest } from "../../src/core/window/window-request.ts";
import { tokenEstimator } from "../../src/models/token-estimator.ts";

const settings = window({ budget: 700 });
const tools: ReadonlyMap<string, Tool> = new Map();
const offer: Offer = {
  tools: [{ name: "t", description: "Does it.", inputSchema: { type: "object" } }],
  answer: null,
};
const asItIs = (text: string): string => text;

/** A request for a window as the runtime would make it, of one tool and a short prompt; `given` is what matters to a test. */
export function windowRequest(state: ThreadState, given: Partial<WindowRequest> = {}): WindowRequest {
  return {
    state,
    settings,
    system: "You work.",
    input: { value: "please", text: "please" },
    offer,
    encoding: encodings.tools,
    tools,
    artifact: () => undefined,
    see: null,
    correction: null,
    budget: settings.budget,
    maxOutputTokens: 100,
    count: tokenEstimator.count,
    calibration: uncalibrated,
    redact: asItIs,
    ...given,
  };
}
