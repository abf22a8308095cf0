import type { ApiError } from "../api/client";

/** The rules that an image can be refused by; texts are named for them. */
export const rules = [
  "too_large",
  "unsupported_image",
  "corrupt_image",
  "image_too_large",
  "forbidden_url",
  "download_failed",
  "not_found",
  "too_many_requests",
  "storage_full",
  "request_timeout",
  "empty",
] as const;

export type Rule = (typeof rules)[number];

/** What statuses mean if something in front of the server has answered, with no problem document. */
const byStatus: Record<number, Rule> = { 408: "request_timeout", 413: "too_large", 429: "too_many_requests", 507: "storage_full" };

/** The rule that an image was refused by; undefined if it was not about the image. */
export function ruleOf({ kind, status }: Pick<ApiError, "kind" | "status">): Rule | undefined {
  return rules.find((rule) => rule === kind) ?? byStatus[status];
}
