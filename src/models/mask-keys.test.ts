import { describe, expect, test } from "vitest";
import { maskKeys } from "./mask-keys.ts";

// Made up, in the form that each provider's keys have.
const keys = {
  openai: "sk-proj-4f9aK2xQ7bT1mV8cR5nZ3wY6hL0pJdEs-T3BlbkFJ",
  "openai service account": "sk-svcacct-4f9aK2xQ7bT1",
  "openai, starred": "sk-proj-********************************SJh4",
  "openai, starred in the middle": "sk-gGSeH***************************************7fB1",
  anthropic: "sk-ant-api03-abcDEF_x-4f9aK2xQ7bT1mV8cR5nZ",
  google: "AIzaSyD4f9aK2xQ7bT1mV8cR5nZ3wY6hL0pJd",
  "google, new": "AQ.Ab8RN6L4f9aK2xQ7bT1mV8",
  "google oauth": "ya29.a0AfH6SMBx4f9aK2xQ7bT1mV8",
  groq: "gsk_4f9aK2xQ7bT1mV8cR5nZ3wY6hL0pJdEs",
  xai: "xai-4f9aK2xQ7bT1mV8cR5nZ3wY6hL0pJdEs",
  mistral: "4f9aK2xQ7bT1mV8cR5nZ3wY6hL0pJdEs",
  cohere: "4f9aK2xQ7bT1mV8cR5nZ3wY6hL0pJdEsAbCdEfGh",
  deepseek: "sk-4f9a2b7c1d8e5f3a6b0c9d4e7f1a2b3c",
  openrouter: "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",
  azure: "4f9a2b7c1d8e5f3a6b0c9d4e7f1a2b3c",
  huggingface: "hf_qWeRtYuIoPaSdFgHjKlZxCvBnM",
  fireworks: "fw_3ZxCvBnMqWeRtY",
  together: "tgp_v1_4f9aK2xQ7bT1mV8c",
  cerebras: "csk-4f9aK2xQ7bT1",
  nvidia: "nvapi-4f9aK2xQ7bT1mV8c",
  replicate: "r8_4f9aK2xQ7bT1",
  perplexity: "pplx-4f9aK2xQ7bT1",
  voyage: "pa-4f9aK2xQ7bT1",
  github: "ghp_4f9aK2xQ7bT1mV8c",
  aws: "AKIA4F9AK2XQ7BT1MV8C",
  "bedrock api key": "ABSKQmVkcm9ja0FQSUtleS00Zjlh",
  "minimax (JWT)": "eyJhbGciOiJSUzI1NiJ9.eyJHcm91cE5hbWUiOiJ4In0.c2lnbmF0dXJl",
};

describe("maskKeys", () => {
  for (const [name, key] of Object.entries(keys)) {
    test(`masks a key of ${name}`, () => {
      expect(maskKeys(`bad request with ${key}, sorry`)).toBe("bad request with [masked], sorry");
      expect(maskKeys(`Incorrect API key provided: ${key}.`)).not.toContain(key.slice(0, 12));
      expect(maskKeys(`{"headers":{"authorization":"Bearer ${key}"}}`)).not.toContain(key.slice(0, 12));
    });
  }

  for (const [text, masked] of [
    ["Incorrect API key provided: hunter2. Ask", "Incorrect API key provided: [masked] Ask"],
    ['{"x-api-key": "hunter2"}', '{"x-api-key": "[masked]"}'],
    ["https://example.com/v1?key=hunter2&alt=sse", "https://example.com/v1?key=[masked]&alt=sse"],
    ["http://dana:hunter2@example.com/v1", "http:[masked]example.com/v1"],
    ["Authorization: Basic ZGFuYTpo", "Authorization: Basic [masked]"],
    ["Bearer abc", "[masked]"],
  ] as const) {
    test(`masks what is announced as a secret: ${text}`, () => expect(maskKeys(text)).toBe(masked));
  }

  for (const text of [
    "This model's maximum context length is 8192 tokens. However, you requested 8300 tokens",
    "Quota exceeded for aiplatform.googleapis.com/online_prediction_input_tokens_per_minute_per_base_model",
    "The model `gpt-5.2-proo` does not exist or you do not have access to it.",
    "the token count: 1200293",
    "qwen3-coder-480b-a35b-instruct",
  ]) {
    test(`leaves what people need to read: ${text.slice(0, 40)}`, () => expect(maskKeys(text)).toBe(text));
  }

  test("takes no longer for a long text", () => {
    expect(maskKeys(`${"api key ".repeat(20_000)}${"a-".repeat(20_000)}`).length).toBeGreaterThan(100_000);
  });
});
