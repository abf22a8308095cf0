import { Tabs } from "@mantine/core";
import { Suspense } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { later } from "../app/later";
import { Page } from "../app/Page";
import { Restricted } from "../session/Restricted";
import { Users } from "./Users";

const Tokens = later(async () => ({ default: (await import("./Tokens")).Tokens }));

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
            <Suspense>
              <Tokens />
            </Suspense>
          </Tabs.Panel>
        </Tabs>
      </Page>
    </Restricted>
  );
}
