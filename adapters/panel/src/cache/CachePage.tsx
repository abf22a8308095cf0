import { Alert, Badge, Button, Container, Group, Loader, NativeSelect, SegmentedControl, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { later } from "../app/later";
import { Near } from "../app/Near";
import { Refusal } from "../app/Refusal";
import { useSession } from "../session/session";
import { Charts, Tiles } from "./Charts";
import { every, kinds, useFleet, useHistory, useSettings } from "./data";
import { Instances } from "./Instances";
import { Manage } from "./Manage";
import { RedisState } from "./RedisState";

// Below the charts, and no part of what the page first loads, unless somebody comes for it.
const Lookup = later(async () => ({ default: (await import("./Lookup")).Lookup }));

/** What the caches of all instances do, what is held of a subject, and what can be done about it. */
export function CachePage() {
  const { t } = useTranslation();
  const { may, principal, askToSignIn } = useSession();
  return (
    <Container size="xl" py="md">
      {may("admin") ? (
        <Watched />
      ) : (
        <Stack align="start">
          <Title order={1} size="h2">
            {t("cache.title")}
          </Title>
          <Alert color="gray">{t("cache.forAdmins")}</Alert>
          {!principal && <Button onClick={askToSignIn}>{t("action.signIn")}</Button>}
        </Stack>
      )}
    </Container>
  );
}

function Watched() {
  const { t } = useTranslation();
  const [address] = useSearchParams();
  const [instance, setInstance] = useState("");
  const [minutes, setMinutes] = useState("15");
  const fleet = useFleet();
  const history = useHistory(instance);
  const settings = useSettings();
  const others = fleet.data?.instances.filter((one) => one.stats) ?? [];
  if (instance !== "" && fleet.data && !others.some((one) => one.id === instance)) {
    setInstance(""); // it has gone
  }
  const failed = fleet.error ?? history.error ?? settings.error;
  return (
    <Stack gap="lg">
      <Group justify="space-between" align="end">
        <div>
          <Group gap="sm">
            <Title order={1} size="h2">
              {t("cache.title")}
            </Title>
            {fleet.data && <Badge variant="light">{t(`cache.mode.${fleet.data.mode}`)}</Badge>}
            <Text size="sm" c={failed ? "red" : "dimmed"} role="status">
              {failed ? t("cache.paused") : t("cache.live", { seconds: every / 1000 })}
            </Text>
          </Group>
          <Text c="dimmed" size="sm">
            {t("cache.intro")}
          </Text>
        </div>
        <Group gap="sm" align="end">
          {others.length > 1 && (
            <NativeSelect
              label={t("cache.scope")}
              data={[{ value: "", label: t("cache.all") }, ...others.map((one) => ({ value: one.id, label: one.name }))]}
              value={instance}
              onChange={(event) => setInstance(event.currentTarget.value)}
              size="sm"
            />
          )}
          <SegmentedControl
            aria-label={t("cache.range")}
            value={minutes}
            onChange={setMinutes}
            data={[
              { value: "15", label: t("cache.minutes", { count: 15 }) },
              { value: "60", label: t("cache.hour") },
            ]}
          />
        </Group>
      </Group>
      {failed && !fleet.data && <Refusal error={failed} retry={() => void fleet.refetch()} />}
      {fleet.data?.problem !== undefined && (
        <Alert color="yellow" title={t("cache.instances.partial")} role="status">
          {fleet.data.problem}
        </Alert>
      )}
      {history.data ? (
        <>
          <Tiles history={history.data} />
          <Charts history={history.data} mode={fleet.data?.mode} minutes={Number(minutes)} />
        </>
      ) : (
        !failed && <Loader />
      )}
      <Near height={160} now={kinds.some((kind) => address.has(kind))}>
        <Suspense fallback={<Skeleton h={160} />}>
          <Lookup />
        </Suspense>
      </Near>
      {fleet.data && <Instances fleet={fleet.data} />}
      {fleet.data && <RedisState redis={fleet.data.redis} />}
      {settings.data && <Manage settings={settings.data} />}
    </Stack>
  );
}
