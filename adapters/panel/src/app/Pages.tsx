import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { NavLink, useLocation } from "react-router";

import { useSession } from "../session/session";
import { Icon } from "./Icon";
import { entryOf, navigation } from "./navigation";
import classes from "./Shell.module.css";

/** The pages that whoever is there may see. */
export function Pages() {
  const { t } = useTranslation();
  const { may } = useSession();
  const { pathname } = useLocation();
  const active = entryOf(pathname)?.page;
  return (
    <nav aria-label={t("shell.pages")}>
      {navigation.map(({ group, entries }) => {
        const allowed = entries.filter((entry) => entry.needs === undefined || may(entry.needs));
        return (
          allowed.length > 0 && (
            <div key={group} className={classes.group}>
              <Text size="xs" fw={600} c="dimmed" className={classes.groupName ?? ""}>
                {t(`shell.group.${group}`)}
              </Text>
              {allowed.map(({ page, to, icon }) => (
                <NavLink key={page} to={to} end={to === "/"} className={classes.link ?? ""} data-active={page === active || undefined}>
                  <Icon name={icon} />
                  {t(`shell.page.${page}`)}
                </NavLink>
              ))}
            </div>
          )
        );
      })}
    </nav>
  );
}
