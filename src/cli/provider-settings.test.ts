import { expect, it } from "vitest";
import { providerSettings } from "./provider-settings.ts";

it("an address in the environment takes no key of the config's, and keeps how it is spoken to", () => {
  const config = {
    compatible: {
      baseURL: "https://models.example.com/v1",
      apiKeyVariable: "SHOP_KEY",
      headers: { "x-team": "shop" },
      stream: false,
      supportsStructuredOutputs: true,
    },
  };
  const environment = new Map([
    ["HOLDPOINT_BASE_URL", "http://localhost:11434/v1"],
    ["SHOP_KEY", "key-of-the-shop"],
  ]);
  expect(providerSettings(config, (name) => environment.get(name))).toMatchObject({
    compatible: { baseURL: "http://localhost:11434/v1", stream: false, supportsStructuredOutputs: true },
  });
  const { compatible } = providerSettings(config, (name) => environment.get(name));
  expect(compatible).not.toHaveProperty("apiKey");
  expect(compatible).not.toHaveProperty("headers");
});
