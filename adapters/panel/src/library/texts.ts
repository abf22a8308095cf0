import type { TFunction } from "i18next";

import type { Slot } from "../api/client";

/** What cards say: one for all of them, because hundreds come into view in a second. */
export interface CardTexts {
  t: TFunction;
  /** Which slots are empty, in words. */
  without: (slots: readonly Slot[]) => string;
}

/** Returns the texts in a language, each sentence made once. */
export function cardTexts(t: TFunction, language: string): CardTexts {
  const list = new Intl.ListFormat(language, { type: "unit", style: "short" });
  const made = new Map<string, string>();
  return {
    t,
    without: (slots) => {
      const key = slots.join();
      let text = made.get(key);
      if (text === undefined) {
        text = t("library.without", { slots: list.format(slots.map((slot) => t(`library.short.${slot as "profile"}`))) });
        made.set(key, text);
      }
      return text;
    },
  };
}
