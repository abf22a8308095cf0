import { expect, test } from "vitest";

import { refusal } from "../api/client";
import { ruleOf } from "./rules";

const problem = (status: number, type?: string) =>
  refusal(new Response(null, { status }), type === undefined ? undefined : { type: `urn:gatefold:problem:${type}`, detail: "…" });

test("a problem document names the rule", () => {
  expect(ruleOf(problem(422, "corrupt_image"))).toBe("corrupt_image");
  expect(ruleOf(problem(422, "image_too_large"))).toBe("image_too_large");
  expect(ruleOf(problem(507, "storage_full"))).toBe("storage_full");
});

test("a proxy's bare refusal is understood by its status", () => {
  expect(ruleOf(problem(413))).toBe("too_large");
  expect(ruleOf(problem(429))).toBe("too_many_requests");
});

test("what is not about the image is no rule", () => {
  expect(ruleOf(problem(403, "forbidden"))).toBeUndefined();
  expect(ruleOf(problem(500))).toBeUndefined();
});
