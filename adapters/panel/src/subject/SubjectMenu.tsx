import { Menu } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

/** What is seldom done with a subject as a whole. */
export function SubjectMenu({ onPurge, button }: { onPurge: () => void; button: ReactElement }) {
  const { t } = useTranslation();
  return (
    <Menu defaultOpened position="bottom-end">
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Item color="red" onClick={onPurge}>
          {t("subject.purgeAll.action")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
