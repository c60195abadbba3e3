import { describe, expect, it } from "vitest";
import { templateEndpoint, templateText } from "./template-text.ts";

describe("an endpoint as a template", () => {
  it.each([
    ["/users/123/profile?x=1", "/users/{id}/profile?x"],
    ["/users/123/profile", "/users/{id}/profile"],
    ["https://user:p@ss@shop.example.com:8443/a", "shop.example.com:8443/a"],
    ["https://shop.example.com/", "shop.example.com"],
    ["/orders/0b6ef7c8-6b0a-4d3f-8f3e-1c0f6a1b2c3d", "/orders/{id}"],
    ["/orders/01JD8ZA9QK3F7WX2MSB4T6N5RY/lines/2", "/orders/{id}/lines/{id}"],
    ["/orders/ord_8sk2ab/items/A-1234", "/orders/{id}/items/{id}"],
    ["/customers/cus_NffrFeUfNVHib", "/customers/{id}"],
    ["/commits/4f9a1c2d8e", "/commits/{id}"],
    ["/mail/dana@example.com", "/mail/{id}"],
    ["/mail/dana%40example.com", "/mail/{id}"],
    ["/days/2026-11-23/slots", "/days/{id}/slots"],
    ["/files/123.json", "/files/{id}.json"],
    ["/odata/Orders(17)/Lines", "/odata/Orders({id})/Lines"],
    ["/v1/api-v2/oauth2/utf-8/order-lines", "/v1/api-v2/oauth2/utf-8/order-lines"],
    ["/search?q=a%20b&page=2&sort=name#top", "/search?q&page&sort"],
    ["/s?9f8e7d6c5b4a=1&q=2", "/s?q"],
    ["", "/"],
  ])("%s → %s", (url, template) => expect(templateEndpoint(url)).toBe(template));
});

describe("a text as a template", () => {
  it.each([
    ["user 17 of dana@example.com", "user {n} of {email}"],
    ["took 5000ms on worker7", "took {n} on worker{n}"],
    ["column \"price\" of 'x'", "column price of {value}"],
    ["ORA-00942 and exit code 137 stay", "ORA-00942 and exit code 137 stay"],
    ["at 2026-11-23T09:12:47.118Z from 10.0.0.1:80", "at {time} from {address}"],
  ])("%s → %s", (text, template) => expect(templateText(text)).toBe(template));
});
