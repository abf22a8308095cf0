import { Alert, Badge, Button, Group, Loader, Paper, Radio, SimpleGrid, Stack, Text, TextInput, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, Suspense, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { answered, api } from "../api/client";
import { later } from "../app/later";
import { Refusal } from "../app/Refusal";
import type { Mode, Settings } from "./data";
import { units } from "./units";

const Confirm = later(async () => ({ default: (await import("./Confirm")).Confirm }));

/** What an operator can do about the cache as a whole. */
export function Manage({ settings }: { settings: Settings }) {
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
      <Move settings={settings} />
      <Actions off={settings.mode === "off"} />
    </SimpleGrid>
  );
}

function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <Paper component="section" withBorder p="md" aria-labelledby={id}>
      <Title order={2} size="h4" id={id} mb="sm">
        {title}
      </Title>
      {children}
    </Paper>
  );
}

function Actions({ off }: { off: boolean }) {
  const { t, i18n } = useTranslation();
  const { number, precise } = units(i18n.language);
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const running = useRef<AbortController>(undefined);
  const after = { onSettled: () => queries.invalidateQueries({ queryKey: ["cache"] }) };
  const flush = useMutation({
    mutationFn: () => answered(api.POST("/api/admin/cache/flush")),
    onSuccess: (done) => notifications.show({ message: t("cache.manage.flushed", { count: done.removed, ms: number(done.tookMs) }) }),
    ...after,
  });
  const warm = useMutation({
    mutationFn: () => {
      running.current = new AbortController();
      return answered(api.POST("/api/admin/cache/warm", { signal: running.current.signal }));
    },
    onSuccess: (done) =>
      notifications.show({
        message: t("cache.manage.warmed", { ...done, seconds: precise(done.tookMs / 1000) }),
      }),
    ...after,
  });
  const stopped = warm.error instanceof DOMException;
  return (
    <Section id="manage" title={t("cache.manage.title")}>
      <Stack gap="md">
        <div>
          <Text size="sm" mb="xs">
            {t("cache.manage.warmHint")}
          </Text>
          {warm.isPending ? (
            <Group gap="sm" role="status">
              <Loader size="xs" />
              <Text size="sm">{t("cache.manage.warming")}</Text>
              <Button size="xs" variant="default" onClick={() => running.current?.abort()}>
                {t("cache.manage.stop")}
              </Button>
            </Group>
          ) : (
            <Button variant="default" onClick={() => warm.mutate()} disabled={off}>
              {t("cache.manage.warm")}
            </Button>
          )}
          {warm.error && !stopped && <Refusal error={warm.error} />}
        </div>
        <div>
          <Text size="sm" mb="xs">
            {t("cache.manage.flushHint")}
          </Text>
          <Button variant="light" color="red" onClick={() => setAsking(true)} loading={flush.isPending}>
            {t("cache.manage.flush")}
          </Button>
          {flush.error && <Refusal error={flush.error} />}
        </div>
      </Stack>
      <Suspense>
        {asking && (
          <Confirm
            title={t("cache.manage.flushAsk")}
            consequence={t("cache.manage.flushConsequence")}
            action={t("cache.manage.flush")}
            colour="red"
            onClose={() => setAsking(false)}
            onConfirm={() => {
              setAsking(false);
              flush.mutate();
            }}
          />
        )}
      </Suspense>
    </Section>
  );
}

/** The seconds in a term as the API writes it, "300s". */
const seconds = (term: string) => Number.parseFloat(term);

/** What the operator has changed; what is not named is as it is in force. */
interface Draft {
  mode?: Mode;
  ttl?: number;
  l1?: number;
}

/** The settings that all instances follow, and moving them to others while they run. */
function Move({ settings }: { settings: Settings }) {
  const { t, i18n } = useTranslation();
  const { span, time } = units(i18n.language);
  const queries = useQueryClient();
  const [draft, setDraft] = useState<Draft>({});
  const [asking, setAsking] = useState(false);
  const now = { mode: settings.mode, ttl: seconds(settings.cacheTtl), l1: Math.round(1000 * seconds(settings.l1Ttl)) };
  const next = { mode: draft.mode ?? now.mode, ttl: draft.ttl ?? now.ttl, l1: draft.l1 ?? now.l1 };
  const changed = next.mode !== now.mode || next.ttl !== now.ttl || next.l1 !== now.l1;
  const move = useMutation({
    mutationFn: () =>
      answered(
        api.PUT("/api/admin/cache/mode", {
          body: {
            ...(next.mode !== now.mode && { mode: next.mode }),
            ...(next.ttl !== now.ttl && { cacheTtl: `${next.ttl}s` }),
            ...(next.l1 !== now.l1 && { l1Ttl: `${next.l1}ms` }),
          },
        }),
      ),
    onSuccess: (state) => {
      queries.setQueryData(["cache", "mode"], state);
      setDraft({});
      notifications.show({ message: state.step === "settled" ? t("cache.settings.changed") : t("cache.settings.going") });
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["cache"] }),
  });
  const summary = (of: typeof now) => t("cache.settings.summary", { mode: t(`cache.mode.${of.mode}`), ttl: span(of.ttl), l1: time(of.l1) });
  const modes: Mode[] = settings.mode === "memory" ? ["memory"] : ["twolevel", "redis", "off"];
  return (
    <Section id="settings" title={t("cache.settings.title")}>
      <Stack gap="md">
        <Progressing settings={settings} />
        <Radio.Group label={t("cache.settings.mode")} value={next.mode} onChange={(value) => setDraft({ ...draft, mode: value })}>
          <Stack gap="xs" mt="xs">
            {modes.map((mode) => (
              <Radio key={mode} value={mode} label={t(`cache.mode.${mode}`)} description={t(`cache.settings.hint.${mode}`, { l1: time(next.l1) })} />
            ))}
          </Stack>
        </Radio.Group>
        {settings.mode === "memory" && (
          <Text size="sm" c="dimmed">
            {t("cache.settings.fixed")}
          </Text>
        )}
        <NumberField label={t("cache.settings.ttl")} most={86_400} value={next.ttl} onChange={(ttl) => setDraft({ ...draft, ttl })} />
        {settings.mode !== "memory" && (
          <NumberField label={t("cache.settings.l1")} most={3000} value={next.l1} onChange={(l1) => setDraft({ ...draft, l1 })} />
        )}
        <Group>
          <Button onClick={() => setAsking(true)} disabled={!changed || settings.step !== "settled"} loading={move.isPending}>
            {t("cache.settings.save")}
          </Button>
          {changed && (
            <Button variant="subtle" onClick={() => setDraft({})}>
              {t("cache.manage.cancel")}
            </Button>
          )}
        </Group>
        {move.error && <Refusal error={move.error} />}
      </Stack>
      <Suspense>
        {asking && (
          <Confirm
            title={t("cache.settings.ask")}
            consequence={t("cache.settings.consequence", { before: summary(now), after: summary(next) })}
            action={t("cache.settings.save")}
            colour="moss"
            onClose={() => setAsking(false)}
            onConfirm={() => {
              setAsking(false);
              move.mutate();
            }}
          />
        )}
      </Suspense>
    </Section>
  );
}

interface NumberFieldProps {
  label: string;
  most: number;
  value: number;
  onChange: (value: number) => void;
}

/** A whole number from 1 on, which is put between the bounds when the field is left. */
function NumberField({ label, most, value, onChange }: NumberFieldProps) {
  const [typed, setTyped] = useState<string>();
  return (
    <TextInput
      label={label}
      type="number"
      min={1}
      max={most}
      value={typed ?? value}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        const number = event.currentTarget.valueAsNumber;
        if (number >= 1 && number <= most) {
          onChange(Math.round(number));
        }
      }}
      onBlur={() => {
        const number = Math.round(Number(typed ?? value));
        setTyped(undefined);
        onChange(Math.min(most, Math.max(1, number)));
      }}
    />
  );
}

function Progressing({ settings }: { settings: Settings }) {
  const { t } = useTranslation();
  if (settings.step === "settled") {
    return (
      <div>
        <Badge variant="light">{t("cache.settings.settled")}</Badge>
      </div>
    );
  }
  const behind = settings.instances.filter((one) => one.behind).map((one) => one.name);
  const mode = t(`cache.mode.${settings.other?.mode ?? settings.mode}`);
  return (
    <Alert color="yellow" role="status">
      {settings.step === "preparing" ? t("cache.settings.preparing", { mode }) : t("cache.settings.leaving", { mode })}{" "}
      {behind.length > 0 && t("cache.settings.behind", { names: behind.join(", ") })}
    </Alert>
  );
}
