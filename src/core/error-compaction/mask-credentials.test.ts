import { describe, expect, it } from "vitest";
import { maskCredentials } from "./mask-credentials.ts";

const pem =
  "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7v5x\nq1Vd0lX1ZkJr8eRz\n-----END RSA PRIVATE KEY-----";

describe("credentials that nobody declared", () => {
  it.each([
    ["Authorization: Bearer abc.def-123", "abc.def"],
    ["authorization: 'Basic ZGFuYTpodW50ZXIy'", "ZGFuYTpodW50ZXIy"],
    ['{"Authorization":"Token 0123456789"}', "0123456789"],
    ["Authorization: AWS4-HMAC-SHA256 Credential=X/2026, Signature=fe5f80f77d5fa3be", "fe5f80f"],
    ["Cookie: session=5d41402abc; theme=dark", "5d41402abc"],
    ["set-cookie: sid=abcdef; Path=/", "abcdef"],
    ["sent Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln to it", "eyJ"],
    ["postgres://app:hunter2@db.internal:5432/shop", "hunter2"],
    ["redis://:hunter2@cache:6379", "hunter2"],
    ["https://u:p@ss@shop.example.com/a", "p@ss"],
    ["api_key=abcdef123", "abcdef123"],
    ['"apiKey": "abcdef123"', "abcdef123"],
    ['{\\"client_secret\\":\\"abcdef123\\"}', "abcdef123"],
    ["X-Api-Key: abcdef123", "abcdef123"],
    ["PGPASSWORD=hunter2 psql", "hunter2"],
    ["mysql --password hunter2 -u root", "hunter2"],
    ["https://a.example.com/x?token=abcdef&y=1", "abcdef"],
    ["https://a.example.com/x?X-Amz-Signature=abcdef", "abcdef"],
    ["key AKIAIOSFODNN7EXAMPLE denied", "IOSFODNN7"],
    ["aws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCY", "wJalr"],
    ["Incorrect API key provided: sk-proj-abc123DEF456ghi", "abc123"],
    ["ghp_abcdefghijklmnop0123 is revoked", "abcdefghijkl"],
    ["xoxb-123456-abcdef", "123456"],
    [pem, "q1Vd0l"],
    [JSON.stringify({ key: pem }), "q1Vd0l"],
    [pem.slice(0, 60), "MIIEpAIB"],
  ])("%s", (text, secret) => {
    expect(text).toContain(secret);
    expect(maskCredentials(text)).not.toContain(secret);
    expect(maskCredentials(text)).toContain("[masked]");
    expect(maskCredentials(maskCredentials(text))).toBe(maskCredentials(text));
  });

  it("leaves ordinary text alone, and names that a declared secret has", () => {
    for (const text of [
      "the key is missing",
      "token expired",
      "Basic checks passed",
      "Bearer authentication is required",
      'duplicate key value violates unique constraint "a_b_c_key"',
      "monkey=banana",
      "https://shop.example.com/a@b",
      "api_key=[secret SHOP_KEY]",
      "password authentication failed for user",
    ])
      expect(maskCredentials(text)).toBe(text);
  });
});
