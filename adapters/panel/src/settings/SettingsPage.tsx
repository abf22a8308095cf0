import { Loader, SimpleGrid, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { answered, api } from "../api/client";
import { Page } from "../app/Page";
import { Refusal } from "../app/Refusal";
import { Restricted } from "../session/Restricted";
import { ConfigurationGroups } from "./Configuration";
import { ProviderCard } from "./ProviderCard";

export function SettingsPage() {
  const { t } = useTranslation();
  return (
    <Restricted needs="admin" title={t("settings.title")}>
      <Settings />
    </Restricted>
  );
}

function Settings() {
  const { t } = useTranslation();
  const settings = useQuery({
    queryKey: ["settings"],
    queryFn: ({ signal }) => answered(api.GET("/api/admin/settings", { signal })),
  });
  return (
    <Page title={t("settings.title")} lead={t("settings.lead")}>
      {settings.error && <Refusal error={settings.error} retry={() => void settings.refetch()} />}
      {settings.isPending && <Loader aria-label={t("shell.loading")} />}
      {settings.data && (
        <>
          <section aria-labelledby="providers">
            <Title order={2} size="h4" id="providers">
              {t("settings.providers")}
            </Title>
            <Text size="sm" c="dimmed" mb="sm" maw={680}>
              {t("settings.providersLead")}
            </Text>
            <SimpleGrid cols={1} spacing="sm">
              {settings.data.providers.map((provider, index) => (
                <ProviderCard key={provider.id} provider={provider} place={index + 1} />
              ))}
            </SimpleGrid>
          </section>
          <ConfigurationGroups configuration={settings.data.configuration} />
        </>
      )}
    </Page>
  );
}
