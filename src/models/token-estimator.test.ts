import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tokenEstimator } from "./token-estimator.ts";

const { count } = tokenEstimator;

/** `exact`: tokens of o200k_base, counted with gpt-tokenizer 4. */
const samples = [
  {
    name: "English prose",
    exact: 31,
    text: "The customer wrote that the candles arrived broken and asks for a refund. Please find the order, check whether it can still be returned, and answer politely.",
  },
  {
    name: "compact JSON",
    exact: 71,
    text: '{"orderId":"A7-20931","items":[{"sku":"CANDLE-RED","quantity":2,"priceCents":1450},{"sku":"MATCHES","quantity":1,"priceCents":199}],"shippedAt":"2026-03-14T09:26:53.589Z","express":false}',
  },
  {
    name: "indented JSON",
    exact: 86,
    text: '{\n  "user_id": "mia_li_3668",\n  "name": {\n    "first_name": "Mia",\n    "last_name": "Li"\n  },\n  "address": {\n    "city": "Austin",\n    "zip": "78750",\n    "state": "TX"\n  },\n  "saved": [\n    null,\n    true,\n    0.25\n  ]\n}',
  },
  {
    name: "JSON Schema",
    exact: 75,
    text: '{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"orderId":{"type":"string","description":"The order\'s id, such as A7"},"cents":{"type":"integer","exclusiveMinimum":0,"maximum":9007199254740991}},"required":["orderId","cents"]}',
  },
  {
    name: "TypeScript",
    exact: 49,
    text: "export async function sweep(runtime: Runtime): Promise<number | null> {\n  const { threadIds, nextDueAt } = await runtime.store.due({ now: runtime.clock.now(), limit: sweepLimit });\n  return nextDueAt;\n}",
  },
  {
    name: "a stack trace",
    exact: 50,
    text: "TypeError: Cannot read properties of undefined (reading 'id')\n    at loadOrder (file:///app/src/orders.ts:48:19)\n    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)",
  },
  {
    name: "hex",
    exact: 57,
    text: "9f3c1e07b5d84a62c0f7e19b3d5a8c264e71f0b9d2c85a3647e9b10fd3a8c7256b1e4f90",
  },
  {
    name: "base64",
    exact: 53,
    text: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  },
  {
    name: "UUIDs",
    exact: 69,
    text: "3f2b8c1e-6a4d-4f0e-9b7a-1c5d8e2f7a90, 0b9e4d27-81f3-4c6a-a5d2-7e3f1b8c9d04",
  },
  {
    name: "times",
    exact: 49,
    text: '["2026-01-31T23:59:59.999Z","2025-07-04T08:15:00.000Z","2024-02-29T12:00:00.123Z"]',
  },
  { name: "numbers", exact: 32, text: "[3.14159265, -273.15, 6.02e23, 1000000, 0.1, 42]" },
  {
    name: "German",
    exact: 29,
    text: "Sehr geehrte Damen und Herren, die Bestellung ist gestern beschädigt angekommen; bitte erstatten Sie mir den Kaufpreis auf mein Konto zurück.",
  },
  {
    name: "French",
    exact: 24,
    text: "Bonjour, ma commande est arrivée abîmée hier. Pourriez-vous me rembourser, s'il vous plaît ?",
  },
  {
    name: "Polish",
    exact: 33,
    text: "Dzień dobry, wczoraj otrzymałem uszkodzoną przesyłkę i proszę o zwrot pieniędzy na moje konto.",
  },
  {
    name: "Russian",
    exact: 21,
    text: "Здравствуйте, вчера мне доставили повреждённый заказ, прошу вернуть деньги на мой счёт.",
  },
  {
    name: "Greek",
    exact: 35,
    text: "Καλημέρα, η παραγγελία μου έφτασε χθες κατεστραμμένη και θα ήθελα επιστροφή χρημάτων.",
  },
  { name: "Arabic", exact: 24, text: "مرحبا، وصل طلبي أمس تالفا وأرغب في استرداد أموالي إلى حسابي." },
  { name: "Hindi", exact: 26, text: "नमस्ते, मेरा ऑर्डर कल टूटा हुआ पहुँचा, कृपया मेरे खाते में पैसे वापस करें।" },
  { name: "Thai", exact: 32, text: "สวัสดีค่ะ คำสั่งซื้อของฉันมาถึงเมื่อวานในสภาพเสียหาย กรุณาคืนเงินให้ด้วย" },
  { name: "Chinese", exact: 20, text: "您好，我昨天收到的订单已经损坏，请把款项退回到我的账户，谢谢。" },
  {
    name: "Japanese",
    exact: 18,
    text: "こんにちは。昨日届いた注文の商品が壊れていました。返金をお願いします。",
  },
  { name: "Korean", exact: 20, text: "안녕하세요, 어제 도착한 주문 상품이 파손되어 환불을 요청합니다." },
  { name: "emoji", exact: 25, text: "😀🎉🔥✨🚀👍🏽👨‍👩‍👧‍👦🇩🇪" },
  { name: "punctuation", exact: 25, text: "|---|:---:|---:|\n=====>>> [[{{(!!)}}]] ~~~ #@$%^&*" },
];

describe("tokenEstimator", () => {
  for (const { name, exact, text } of samples) {
    test(`is seldom under, and never far over: ${name}`, () => {
      const ratio = count(text) / exact;
      expect(ratio).toBeGreaterThanOrEqual(0.95);
      expect(ratio).toBeLessThan(1.95);
    });
  }

  test("is over on all samples together", () => {
    const exact = samples.reduce((total, sample) => total + sample.exact, 0);
    const estimated = samples.reduce((total, sample) => total + count(sample.text), 0);
    expect(estimated / exact).toBeGreaterThan(1.1);
    expect(estimated / exact).toBeLessThan(1.3);
  });

  test("nothing is nothing, and anything is something", () => {
    expect(count("")).toBe(0);
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", minLength: 1 }).filter((text) => text.trim() !== ""),
        (text) => {
          expect(count(text)).toBeGreaterThan(0);
        },
      ),
    );
  });

  test("texts put together cost no more than apart, but for the seam", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (left, right) => {
        expect(count(left + right)).toBeLessThanOrEqual(count(left) + count(right) + 12);
      }),
    );
  });

  test("a text a hundred times as long has about a hundred times the tokens", () => {
    for (const { text } of samples) {
      const once = count(`${text}\n`);
      expect(Math.abs(count(`${text}\n`.repeat(100)) / (once * 100) - 1)).toBeLessThan(0.1);
    }
  });
});
