import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import { en } from "./locales/en";

export const languages = ["en", "es"] as const;
export type Language = (typeof languages)[number];

const kept = "gatefold.language";

/** The language that was chosen, or the first of the browser's that there is. */
function preferred(): Language {
  const wanted = [localStorage.getItem(kept) ?? "", ...navigator.languages];
  return wanted.map((tag) => tag.slice(0, 2)).find((tag): tag is Language => (languages as readonly string[]).includes(tag)) ?? "en";
}

/** The texts of each language but English, which is there in any case. */
const texts: Record<Exclude<Language, "en">, () => Promise<typeof en>> = { es: async () => (await import("./locales/es")).es };

async function learn(language: Language): Promise<void> {
  if (language !== "en" && !i18next.hasResourceBundle(language, "translation")) {
    i18next.addResourceBundle(language, "translation", await texts[language]());
  }
}

/** Begins in the language that was chosen, or that the browser prefers. */
export async function startTranslating(): Promise<void> {
  i18next.on("languageChanged", (language) => (document.documentElement.lang = language));
  await i18next.use(initReactI18next).init({
    resources: { en: { translation: en } },
    lng: "en",
    fallbackLng: "en",
    interpolation: { escapeValue: false }, // React escapes
  });
  await speak(preferred());
}

/** Goes on in another language; in English if its texts cannot be had. */
async function speak(language: Language): Promise<void> {
  const spoken = await learn(language).then(
    () => language,
    () => "en" as const,
  );
  await i18next.changeLanguage(spoken);
}

/** Goes on in another language, now and from now on. */
export function choose(language: Language): void {
  localStorage.setItem(kept, language);
  void speak(language);
}

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
  }
}
