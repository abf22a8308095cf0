import i18next from "i18next";
import { expect, test, vi } from "vitest";

/** The module, as it is when the panel begins in a browser that speaks Spanish, which cannot reach one file of it. */
async function begin(lost: "core" | "library") {
  vi.resetModules();
  vi.doUnmock("./locales/es/core.ts");
  vi.doUnmock("./locales/es/library.ts");
  vi.doMock(`./locales/es/${lost}.ts`, () => {
    throw new Error("out of reach");
  });
  vi.stubGlobal("document", { documentElement: { lang: "" } });
  vi.stubGlobal("localStorage", { getItem: () => null });
  vi.stubGlobal("navigator", { languages: ["es-MX"] });
  return import("./i18n");
}

test("what a page says is said in English if its texts do not come, and the rest in the language", async () => {
  const { startTranslating, prepare } = await begin("library");
  await startTranslating();
  await prepare("library");
  expect(i18next.language).toBe("es");
  expect(i18next.t("action.signIn")).toBe("Iniciar sesión");
  expect(i18next.t("library.search")).toBe("Search by name");
});

test("the panel begins in English if the language is out of reach", async () => {
  const { startTranslating } = await begin("core");
  await startTranslating();
  expect(i18next.language).toBe("en");
  expect(document.documentElement.lang).toBe("en");
  expect(i18next.t("action.signIn")).toBe("Sign in");
});
