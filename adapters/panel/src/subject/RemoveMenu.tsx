import { Menu, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

/** What is to be in a slot after its image was removed: the next best one, or nothing. */
export function RemoveMenu({ onRemove, button }: { onRemove: (keepEmpty: boolean) => void; button: ReactElement }) {
  const { t } = useTranslation();
  return (
    <Menu defaultOpened position="bottom-start">
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => onRemove(false)}>
          <Text size="sm">{t("subject.remove.next")}</Text>
          <Text size="xs" c="dimmed">
            {t("subject.remove.nextHint")}
          </Text>
        </Menu.Item>
        <Menu.Item onClick={() => onRemove(true)}>
          <Text size="sm">{t("subject.remove.keepEmpty")}</Text>
          <Text size="xs" c="dimmed">
            {t("subject.remove.keepEmptyHint")}
          </Text>
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
