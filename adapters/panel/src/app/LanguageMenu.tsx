import { Menu } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { choose, languages } from "../i18n";
import { Icon } from "./Icon";

const names: Record<(typeof languages)[number], string> = { en: "English", es: "Español" };

/** The languages, each in its own words. */
export function LanguageMenu({ button }: { button: ReactElement }) {
  const { i18n } = useTranslation();
  return (
    <Menu defaultOpened position="bottom-end">
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        {languages.map((language) => (
          <Menu.Item
            key={language}
            lang={language}
            onClick={() => choose(language)}
            rightSection={i18n.resolvedLanguage === language ? <Icon name="check" size={16} /> : null}
          >
            {names[language]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
