import { Menu } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Icon } from "../app/Icon";
import { type Principal, useSession } from "./session";

interface Props {
  principal: Principal;
  onChangePassword: () => void;
  button: ReactElement;
}

/** Who is signed in, as what, and what they can do about that. */
export function AccountMenu({ principal, onChangePassword, button }: Props) {
  const { t } = useTranslation();
  const { signOut } = useSession();
  return (
    <Menu defaultOpened position="bottom-end" width={230}>
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {principal.name} · {t(`role.${principal.scope}`)}
        </Menu.Label>
        {principal.kind === "user" && (
          <Menu.Item leftSection={<Icon name="key" size={16} />} onClick={onChangePassword}>
            {t("session.changePassword")}
          </Menu.Item>
        )}
        <Menu.Item leftSection={<Icon name="out" size={16} />} onClick={() => void signOut()}>
          {t("action.signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
