import { Button, Group, Loader, SimpleGrid, Text, Title, VisuallyHidden } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { answered, api } from "../api/client";
import { Page } from "../app/Page";
import { Refusal } from "../app/Refusal";
import { Restricted } from "../session/Restricted";
import { ConfigurationGroups } from "./Configuration";
import { ProviderCard } from "./ProviderCard";
import { useOrder } from "./useOrder";

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
  const order = settings.data?.order;
  const ordering = useOrder(settings.data);
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
            <Group gap="sm" mb="sm" justify="space-between">
              <Text size="sm" c="dimmed" maw={680}>
                {order?.pinned === true
                  ? t("settings.order.pinned", { variable: order.variable })
                  : t(order?.chosen === true ? "settings.order.chosen" : "settings.order.none")}
              </Text>
              {order?.stored === true && (
                <Button size="xs" variant="default" loading={ordering.pending} onClick={ordering.reset}>
                  {t("settings.order.reset")}
                </Button>
              )}
            </Group>
            {ordering.error && <Refusal error={ordering.error} />}
            <VisuallyHidden aria-live="polite">{ordering.said}</VisuallyHidden>
            <SimpleGrid cols={1} spacing="sm">
              {settings.data.providers.map((provider, index) => (
                <ProviderCard
                  key={provider.id}
                  provider={provider}
                  place={index + 1}
                  last={settings.data.order.providers.at(-1) === provider.id}
                  onMove={
                    order?.pinned === true || provider.types.length === 0
                      ? undefined
                      : (by, button) => !ordering.pending && ordering.move(provider.id, provider.name, by, button)
                  }
                />
              ))}
            </SimpleGrid>
          </section>
          <ConfigurationGroups configuration={settings.data.configuration} />
        </>
      )}
    </Page>
  );
}
