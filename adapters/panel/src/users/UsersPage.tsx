import { Tabs } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { Page } from "../app/Page";
import { Restricted } from "../session/Restricted";
import { Tokens } from "./Tokens";
import { Users } from "./Users";

/** Who gets in: users, and programs with an API token. */
export function UsersPage() {
  const { t } = useTranslation();
  const [search, setSearch] = useSearchParams();
  return (
    <Restricted needs="admin" title={t("users.title")}>
      <Page title={t("users.title")} lead={t("users.lead")}>
        <Tabs
          value={search.get("tab") === "tokens" ? "tokens" : "users"}
          onChange={(tab) => setSearch(tab === "tokens" ? { tab } : {}, { replace: true })}
          keepMounted={false}
        >
          <Tabs.List mb="md">
            <Tabs.Tab value="users">{t("users.users")}</Tabs.Tab>
            <Tabs.Tab value="tokens">{t("users.tokens")}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="users">
            <Users />
          </Tabs.Panel>
          <Tabs.Panel value="tokens">
            <Tokens />
          </Tabs.Panel>
        </Tabs>
      </Page>
    </Restricted>
  );
}
