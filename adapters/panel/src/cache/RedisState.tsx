import { Alert, Badge, Group, Paper, Progress, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { bytes } from "../artwork/format";
import classes from "./Cache.module.css";
import type { Redis } from "./data";
import { units } from "./units";

/** How Redis is, as the instance sees it that answers. */
export function RedisState({ redis }: { redis: Redis | undefined }) {
  const { t } = useTranslation();
  return (
    <Paper component="section" withBorder p="md" aria-labelledby="redis">
      <Group gap="sm">
        <Title order={2} size="h4" id="redis">
          {t("cache.redis.title")}
        </Title>
        {redis && (
          <Badge variant="light" color={redis.problem === undefined ? "moss" : "red"}>
            {redis.problem === undefined ? t("cache.redis.fine") : t("cache.redis.trouble")}
          </Badge>
        )}
      </Group>
      {redis ? (
        <State redis={redis} />
      ) : (
        <Text c="dimmed" size="sm">
          {t("cache.redis.unused")}
        </Text>
      )}
    </Paper>
  );
}

function State({ redis }: { redis: Redis }) {
  const { t, i18n } = useTranslation();
  const { number } = units(i18n.language);
  return (
    <>
      {(redis.problem !== undefined || redis.breakerOpen) && (
        <Alert color="red" mt="sm" role="status">
          {redis.problem} {redis.breakerOpen && t("cache.redis.breaker")}
        </Alert>
      )}
      {redis.servers.map((server) => (
        <Server key={server.address} server={server} />
      ))}
      <dl className={classes.facts}>
        <Fact name={t("cache.redis.connections")}>
          {t("cache.redis.connectionsOf", { open: redis.connections, idle: redis.idleConnections, max: redis.maxConnections })}
        </Fact>
        <Fact name={t("cache.redis.timeouts")}>{number(redis.poolTimeouts)}</Fact>
      </dl>
    </>
  );
}

function Server({ server }: { server: Redis["servers"][number] }) {
  const { t, i18n } = useTranslation();
  const { number, precise, span, time } = units(i18n.language);
  const size = (n: number) => bytes(n, i18n.language);
  const bounded = server.maxMemoryBytes > 0;
  const badPolicy = bounded && server.memoryPolicy !== "allkeys-lru";
  return (
    <>
      <Title order={3} size="h6" mt="md">
        {server.address}
      </Title>
      <dl className={classes.facts}>
        <Fact name={t("cache.redis.memory")}>
          {bounded
            ? t("cache.redis.memoryOf", { used: size(server.memoryBytes), max: size(server.maxMemoryBytes) })
            : t("cache.redis.unbounded", { used: size(server.memoryBytes) })}
          {bounded && (
            <Progress
              mt={4}
              value={(100 * server.memoryBytes) / server.maxMemoryBytes}
              aria-label={t("cache.redis.memory")}
              color={server.memoryBytes > 0.9 * server.maxMemoryBytes ? "orange" : "moss"}
            />
          )}
        </Fact>
        <Fact name={t("cache.redis.policy")}>
          {server.memoryPolicy}
          {badPolicy && (
            <Text size="xs" c="orange">
              {t("cache.redis.badPolicy")}
            </Text>
          )}
        </Fact>
        <Fact name={t("cache.redis.keys")}>{number(server.keys)}</Fact>
        <Fact name={t("cache.redis.evicted")}>
          {number(server.evictedKeys)}
          <Text size="xs" c="dimmed">
            {t("cache.redis.evictedHint")}
          </Text>
        </Fact>
        <Fact name={t("cache.redis.operations")}>{t("cache.tile.perSecond", { n: precise(server.operationsPerSecond) })}</Fact>
        <Fact name={t("cache.redis.answered")}>{time(server.answeredMs)}</Fact>
        <Fact name={t("cache.redis.clients")}>{number(server.clients)}</Fact>
        <Fact name={t("cache.redis.replicas")}>{number(server.replicas)}</Fact>
        <Fact name={t("cache.redis.version")}>{server.version}</Fact>
        <Fact name={t("cache.redis.uptime")}>{span(server.uptimeSeconds)}</Fact>
      </dl>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
