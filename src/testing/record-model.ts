import { rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import type { GenerateOptions, Model, ModelInput, ModelOutput, ModelProgress } from "../ports/model.ts";
import { makeFolder } from "../runtime/make-folder.ts";
import { inputDigest } from "./input-digest.ts";
import { type Mask, maskProgress, secretMask } from "./mask-secrets.ts";
import { formatRecording, type RecordedCall, toRecordedError } from "./recording.ts";

export interface RecordOptions {
  /** The JSON Lines file; a recording that is there is replaced. */
  readonly path: string;
  /** Values, by name, that are removed before anything is written (I11): keys, and what is personal. */
  readonly secrets?: ReadonlyMap<string, string>;
  /**
   * Told when the file cannot be written (`store_unavailable`), and the call then ends as the model ended it: what was
   * paid is not lost. Default: the call throws.
   */
  readonly onUnwritable?: (error: HoldpointError) => void;
}

/**
 * Wraps a model and records what it is asked and how it answers, errors included, to be played by `recordedModel`.
 * After each call the file is complete and readable. Calls that are aborted are left out.
 *
 * Besides what the model throws, its calls throw `store_unavailable` when the file cannot be written.
 *
 * @throws `usage` for a secret that is too short to be removed.
 */
export function recordModel(model: Model, { path, secrets = new Map(), onUnwritable }: RecordOptions): Model {
  const mask = secretMask(secrets);
  const calls: (RecordedCall | null)[] = []; // by when they were made, `null` while under way
  let saving: Promise<void> = Promise.resolve();

  function save(): Promise<void> {
    const done = calls.filter((call) => call !== null);
    const text = formatRecording({ model: model.id, calls: done });
    saving = saving.catch(() => {}).then(() => writeWhole(path, text)); // one after the other; a failure is its own call's
    return saving;
  }

  return {
    id: model.id,
    async generate(input, options) {
      options.signal.throwIfAborted();
      const index = calls.push(null) - 1;
      const progress: ModelProgress[] = [];
      const keep = async (ended: RecordedCall["ended"]): Promise<void> => {
        calls[index] = recordedCall(input, progress, ended, mask);
        await save().catch((error: unknown) => {
          if (!onUnwritable || !isHoldpointError(error, "store_unavailable")) throw error;
          onUnwritable(error);
        });
      };
      let output: ModelOutput;
      try {
        output = await model.generate(input, listening(options, progress));
      } catch (error) {
        if (options.signal.aborted) throw error;
        await keep({ error: toRecordedError(error) });
        throw error;
      }
      await keep({ output: withoutTime(output) });
      return output;
    },
  };
}

/** The model streams only if the caller wants it to. */
function listening({ signal, onProgress }: GenerateOptions, progress: ModelProgress[]): GenerateOptions {
  if (!onProgress) return { signal };
  return {
    signal,
    onProgress: (piece) => {
      progress.push(piece);
      onProgress(piece);
    },
  };
}

function recordedCall(
  input: ModelInput,
  progress: readonly ModelProgress[],
  ended: RecordedCall["ended"],
  mask: Mask,
): RecordedCall {
  const clean = mask(input);
  return {
    request: inputDigest(clean),
    input: clean,
    ...(progress.length > 0 && { progress: maskProgress(progress, mask) }),
    ended: mask(ended),
  };
}

/** A time would differ with every recording, and a replay takes none. */
function withoutTime({ firstTokenMs: _, ...output }: ModelOutput): ModelOutput {
  return output;
}

async function writeWhole(path: string, text: string): Promise<void> {
  try {
    await makeFolder(dirname(path));
    await writeFile(`${path}.tmp`, text);
    await rename(`${path}.tmp`, path);
  } catch (cause) {
    await rm(`${path}.tmp`, { force: true }).catch(() => {}); // what cannot be removed either stays
    throw new HoldpointError("store_unavailable", `the recording ${path} cannot be written`, { cause });
  }
}
