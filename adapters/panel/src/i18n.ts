import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import { en } from "./locales/en";
import { es } from "./locales/es";

export const languages = ["en", "es"] as const;
export type Language = (typeof languages)[number];

const kept = "gatefold.language";

/** The language that was chosen, or the first of the browser's that there is. */
function preferred(): Language {
  const wanted = [localStorage.getItem(kept) ?? "", ...navigator.languages];
  return wanted.map((tag) => tag.slice(0, 2)).find((tag): tag is Language => (languages as readonly string[]).includes(tag)) ?? "en";
}

export function startTranslating(): void {
  i18next.on("languageChanged", (language) => (document.documentElement.lang = language));
  void i18next.use(initReactI18next).init({
    resources: { en: { translation: en }, es: { translation: es } },
    lng: preferred(),
    fallbackLng: "en",
    interpolation: { escapeValue: false }, // React escapes
  });
}

export function speak(language: Language): void {
  localStorage.setItem(kept, language);
  void i18next.changeLanguage(language);
}

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
  }
}
