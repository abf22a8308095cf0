import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import areasOfPages from "./locales/pages.json";

export const languages = ["en", "es"] as const;
export type Language = (typeof languages)[number];

/** A folder of pages, which have their texts in common. */
export type Pages = keyof typeof areasOfPages;

const kept = "gatefold.language";

/** The language that was chosen, or the first of the browser's that there is. */
function preferred(): Language {
  const wanted = [localStorage.getItem(kept) ?? "", ...navigator.languages];
  return wanted.map((tag) => tag.slice(0, 2)).find((tag): tag is Language => (languages as readonly string[]).includes(tag)) ?? "en";
}

/** The texts of each area in each language, which are fetched when a page first needs them. */
const files = import.meta.glob<Record<string, unknown>>("./locales/*/{activity,cache,core,deleting,jobs,library,settings,subject,users}.ts");

/** The areas that the pages so far have needed: another language begins with them. */
const needed = new Set(["core"]);

async function learn(language: Language, area: string, from = language): Promise<void> {
  const texts = await files[`./locales/${from}/${area}.ts`]?.();
  i18next.addResourceBundle(language, "translation", { ...texts }, true, true);
}

/** The areas that are said in English, because the texts of the language did not come. */
const borrowed = new Set<string>();

/**
 * Fetches what the pages of a folder say, in the language that is spoken. What does not
 * come is said in English, and asked for again when the next page is.
 */
export async function prepare(pages: Pages): Promise<void> {
  const language = i18next.language as Language;
  const areas = areasOfPages[pages];
  areas.forEach((area) => needed.add(area));
  const load = async (area: string) => {
    try {
      await learn(language, area);
      borrowed.delete(area);
    } catch {
      await learn(language, area, "en");
      borrowed.add(area);
    }
  };
  await Promise.all(Array.from(new Set([...areas, ...borrowed]), load));
}

/** Begins in the language that was chosen, or that the browser prefers; in English, if its texts do not come. */
export async function startTranslating(): Promise<void> {
  i18next.on("languageChanged", (language) => (document.documentElement.lang = language));
  await i18next.use(initReactI18next).init({
    resources: {},
    fallbackLng: false, // each language has every text: that is checked with its types
    interpolation: { escapeValue: false }, // React escapes
  });
  await speak(preferred()).catch(() => speak("en"));
}

/** Goes on in another language, if all that has been said so far can be had in it. */
async function speak(language: Language): Promise<void> {
  await Promise.all(Array.from(needed, (area) => learn(language, area)));
  borrowed.clear();
  await i18next.changeLanguage(language);
}

/** Goes on in another language, now and from now on; it stays as it is if the texts are out of reach. */
export function choose(language: Language): void {
  void speak(language).then(
    () => localStorage.setItem(kept, language),
    () => undefined,
  );
}

type Texts = typeof import("./locales/en/core") &
  typeof import("./locales/en/activity") &
  typeof import("./locales/en/cache") &
  typeof import("./locales/en/deleting") &
  typeof import("./locales/en/jobs") &
  typeof import("./locales/en/library") &
  typeof import("./locales/en/settings") &
  typeof import("./locales/en/subject") &
  typeof import("./locales/en/users");

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: Texts };
  }
}
