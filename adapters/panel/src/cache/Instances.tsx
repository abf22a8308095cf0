import { Badge, Group, Paper, Table, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { bytes } from "../artwork/format";
import classes from "./Cache.module.css";
import { type Fleet, hitRate, quantile, reads, refusedStale, type Report, type Stats } from "./data";
import { units } from "./units";

/** The instances of the deployment, with what each has counted. */
export function Instances({ fleet }: { fleet: Fleet }) {
  const { t } = useTranslation();
  const columns = ["name", "version", "running", "reads", "hitRate", "p50", "p99", "changes", "refused", "memory", "redis"] as const;
  return (
    <Paper component="section" withBorder p="md" aria-labelledby="instances">
      <Title order={2} size="h4" id="instances">
        {t("cache.instances.title")}
      </Title>
      <Text size="xs" c="dimmed">
        {t("cache.instances.since")}
      </Text>
      <div className={classes.scroll} tabIndex={0} role="region" aria-label={t("cache.instances.title")}>
        <Table mt="xs" className={classes.numbers ?? ""} miw={900}>
          <Table.Thead>
            <Table.Tr>
              {columns.map((column) => (
                <Table.Th key={column} scope="col">
                  {t(`cache.instances.${column}`)}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {fleet.instances.map((one) => (
              <Table.Tr key={one.id}>
                <Table.Th scope="row">
                  <Group gap={6}>
                    {one.name}
                    {one.self && (
                      <Badge size="xs" miw="max-content">
                        {t("cache.instances.this")}
                      </Badge>
                    )}
                  </Group>
                </Table.Th>
                {one.stats ? (
                  <Told one={one} stats={one.stats} at={fleet.at} />
                ) : (
                  <Table.Td colSpan={columns.length - 1} c="dimmed">
                    {t("cache.instances.silent")}
                  </Table.Td>
                )}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </Paper>
  );
}

function Told({ one, stats, at }: { one: Report; stats: Stats; at: string }) {
  const { t, i18n } = useTranslation();
  const { number, percent, span, time } = units(i18n.language);
  const rate = hitRate(stats);
  const took = (share: number) => {
    const ms = quantile(stats, share);
    return ms === undefined ? "–" : time(ms);
  };
  return (
    <>
      <Table.Td>{one.version}</Table.Td>
      <Table.Td>{one.startedAt === undefined ? "–" : span((Date.parse(at) - Date.parse(one.startedAt)) / 1000)}</Table.Td>
      <Table.Td>{number(reads(stats))}</Table.Td>
      <Table.Td>{rate === undefined ? "–" : percent(rate)}</Table.Td>
      <Table.Td className={classes.nowrap ?? ""}>{took(0.5)}</Table.Td>
      <Table.Td className={classes.nowrap ?? ""}>{took(0.99)}</Table.Td>
      <Table.Td>{number(stats.changes)}</Table.Td>
      <Table.Td>{number(refusedStale(stats))}</Table.Td>
      <Table.Td>
        {one.memory && one.memory.maxEntries > 0
          ? t("cache.instances.memoryOf", {
              entries: number(one.memory.entries),
              max: number(one.memory.maxEntries),
              bytes: bytes(one.memory.bytes, i18n.language),
            })
          : "–"}
      </Table.Td>
      <Table.Td>
        {!one.connection
          ? t("cache.instances.noRedis")
          : one.connection.breakerOpen
            ? t("cache.instances.breakerOpen")
            : t("cache.instances.connected", { open: one.connection.connections, idle: one.connection.idleConnections })}
      </Table.Td>
    </>
  );
}
