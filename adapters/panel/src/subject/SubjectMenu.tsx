import { Menu } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

interface Props {
  /** undefined: whoever is there may not. */
  onPurge: (() => void) | undefined;
  /** undefined: it is the page of whoever looks at it, and nobody deletes themselves. */
  onDelete: (() => void) | undefined;
  button: ReactElement;
}

/** What is seldom done with a subject as a whole. */
export function SubjectMenu({ onPurge, onDelete, button }: Props) {
  const { t } = useTranslation();
  return (
    <Menu defaultOpened position="bottom-end">
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        {onDelete ? <Menu.Item onClick={onDelete}>{t("deleting.action")}</Menu.Item> : <Menu.Label>{t("deleting.oneself")}</Menu.Label>}
        {onPurge && (
          <Menu.Item color="red" onClick={onPurge}>
            {t("subject.purgeAll.action")}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
