import { Alert, Badge, Loader, Paper, SimpleGrid, Table, Text, ThemeIcon, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { answered, api, type Schemas } from "../api/client";
import { Icon, type IconName } from "../app/Icon";
import { Page } from "../app/Page";
import { Refusal } from "../app/Refusal";
import { ago, duration } from "../app/time";
import { useNow } from "../app/useNow";
import { useSession } from "../session/session";
import classes from "./Health.module.css";
import { type Health, useHealth } from "./useHealth";

type Detail = Schemas["PartDetail"];

const looks: Record<Detail["state"], { color: string; icon: IconName }> = {
  connected: { color: "moss", icon: "check" },
  error: { color: "red", icon: "alert" },
  disabled: { color: "gray", icon: "off" },
  unknown: { color: "gray", icon: "off" },
};

/** Every part that Gatefold depends on, and what to do when one fails. */
export function HealthPage() {
  const { t } = useTranslation();
  const { may } = useSession();
  const health = useHealth(3_000);
  return (
    <Page title={t("health.title")} lead={t("health.lead")}>
      {health.error && <Refusal error={health.error} retry={() => void health.refetch()} />}
      {health.isPending && <Loader aria-label={t("shell.loading")} />}
      {health.data && <Overall health={health.data} stale={health.isError} />}
      {health.data && (
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          {inOrder(health.data.parts).map(([name, detail]) => (
            <Part key={name} name={name} detail={detail} />
          ))}
        </SimpleGrid>
      )}
      {may("admin") && <Instances />}
    </Page>
  );
}

function Overall({ health, stale }: { health: Health; stale: boolean }) {
  const { t, i18n } = useTranslation();
  const status = stale ? "error" : health.status;
  const well = status === "ok";
  return (
    <div className={classes.overall} data-status={status}>
      <ThemeIcon size={44} radius="xl" variant="filled" color={well ? "moss" : status === "degraded" ? "yellow.9" : "red.9"} aria-hidden>
        <Icon name={well ? "check" : "alert"} size={26} />
      </ThemeIcon>
      <div>
        <Title order={2} size="h4">
          {stale ? t("health.overall.unreachable") : t(`health.overall.${health.status}`)}
        </Title>
        <dl className={classes.facts}>
          <Fact name={t("health.version")} value={health.version} />
          <Fact name={t("health.uptime")} value={duration(health.uptime, i18n.language)} />
        </dl>
      </div>
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The parts that this panel knows, those first that the most depends on; a newer server may have others. */
const parts = ["database", "storage", "redis", "providerKeys"] as const;

function inOrder(all: Health["parts"]): [string, Detail][] {
  const place = (name: string) => (isKnown(name) ? parts.indexOf(name) : parts.length);
  return Object.entries(all).sort(([a], [b]) => place(a) - place(b));
}

function isKnown(name: string): name is (typeof parts)[number] {
  return (parts as readonly string[]).includes(name);
}

function Part({ name, detail }: { name: string; detail: Detail }) {
  const { t, i18n } = useTranslation();
  const now = useNow(10_000);
  const { color, icon } = looks[detail.state];
  const failing = detail.state === "error";
  return (
    <Paper withBorder p="md" component="section" aria-label={isKnown(name) ? t(`health.part.${name}.name`) : name}>
      <div className={classes.part}>
        <div className={classes.head}>
          <ThemeIcon variant="light" color={color} radius="xl" size={32} aria-hidden>
            <Icon name={icon} size={18} />
          </ThemeIcon>
          <Title order={3} size="h5" flex={1}>
            {isKnown(name) ? t(`health.part.${name}.name`) : name}
          </Title>
          <Badge variant="light" color={color}>
            {t(`health.partState.${detail.state}`)}
          </Badge>
        </div>
        {isKnown(name) && (
          <Text size="sm" c="dimmed">
            {t(`health.part.${name}.what`)} {detail.needed && t("health.needed")}
          </Text>
        )}
        <dl className={classes.facts}>
          {detail.since !== undefined && <Fact name={t("health.since")} value={ago(detail.since, now, i18n.language)} />}
          {detail.state !== "disabled" && <Fact name={t("health.latency")} value={milliseconds(detail.tookMs, i18n.language)} />}
        </dl>
        {failing && isKnown(name) && (
          <Alert color="red" title={t("health.do")}>
            {t(`health.part.${name}.do`)}
          </Alert>
        )}
      </div>
    </Paper>
  );
}

function milliseconds(n: number, language: string): string {
  return new Intl.NumberFormat(language, { style: "unit", unit: "millisecond", maximumFractionDigits: n < 10 ? 1 : 0 }).format(n);
}

/** The instances of this deployment, as they tell each other. */
function Instances() {
  const { t } = useTranslation();
  const mode = useQuery({
    queryKey: ["cache", "mode"],
    queryFn: ({ signal }) => answered(api.GET("/api/admin/cache/mode", { signal })),
    refetchInterval: 10_000,
  });
  const instances = mode.data?.instances ?? [];
  if (mode.error) {
    return <Refusal error={mode.error} retry={() => void mode.refetch()} />;
  }
  return (
    <section aria-labelledby="instances">
      <Title order={2} size="h4" id="instances" mb="xs">
        {t("health.instances")}
      </Title>
      {mode.isPending ? (
        <Loader aria-label={t("shell.loading")} />
      ) : instances.length === 0 ? (
        <Text c="dimmed">{t("health.alone")}</Text>
      ) : (
        <Table.ScrollContainer minWidth={420}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("health.instance.name")}</Table.Th>
                <Table.Th>{t("health.instance.state")}</Table.Th>
                <Table.Th>{t("health.instance.redis")}</Table.Th>
                <Table.Th>{t("health.instance.settings")}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {instances.map((instance) => (
                <Table.Tr key={instance.name}>
                  <Table.Td>{instance.name}</Table.Td>
                  <Table.Td>{t(instance.alive ? "health.instance.alive" : "health.instance.gone")}</Table.Td>
                  <Table.Td>{t(instance.hasRedis ? "health.instance.yes" : "health.instance.no")}</Table.Td>
                  <Table.Td>{t(instance.behind ? "health.instance.behind" : "health.instance.current")}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </section>
  );
}
