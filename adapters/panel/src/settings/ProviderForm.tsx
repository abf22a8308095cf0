import { Alert, Button, Group, PasswordInput, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { answered, api, type Schemas } from "../api/client";
import { Refusal } from "../app/Refusal";
import { moment } from "../artwork/format";
import { type Draft, draftOf, patchOf } from "./patch";
import type { Provider } from "./ProviderCard";
import classes from "./Settings.module.css";

/** Sets up a provider: tried before it is kept, and kept only if nobody was faster. */
export function ProviderForm({ provider }: { provider: Provider }) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(() => draftOf(provider));
  const patch = patchOf(provider, draft);
  const changed = Object.keys(patch).length > 0;
  const params = { path: { provider: provider.id }, header: { "If-Match": `"${provider.revision}"` } };
  const save = useSave(() => answered(api.PATCH("/api/admin/settings/providers/{provider}", { params, body: patch })));
  const reset = useSave(() => answered(api.DELETE("/api/admin/settings/providers/{provider}", { params })));
  const attempt = useMutation({
    mutationFn: () =>
      answered(api.POST("/api/admin/settings/providers/{provider}/test", { params: { path: { provider: provider.id } }, body: patch })),
  });
  const change = <K extends keyof Draft>(field: K, value: Draft[K]) => setDraft((before) => ({ ...before, [field]: value }));
  const error = save.error ?? reset.error ?? attempt.error;
  const stored = [provider.enabled, provider.baseUrl, provider.commonsUrl, provider.key, provider.clientKey].some((field) => field?.stored);
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack>
        <Switch provider={provider} value={draft.enabled} onChange={(value) => change("enabled", value)} />
        {(["key", "clientKey"] as const).map(
          (field) =>
            provider[field] && (
              <KeyField
                key={field}
                label={t(`settings.field.${field}`)}
                setting={provider[field]}
                value={draft[field]}
                onChange={(value) => change(field, value)}
              />
            ),
        )}
        {(["baseUrl", "commonsUrl"] as const).map(
          (field) =>
            provider[field] && (
              <TextInput
                key={field}
                type="url"
                label={t(`settings.field.${field}`)}
                description={<Origin setting={provider[field]} />}
                readOnly={provider[field].pinned}
                value={draft[field]}
                onChange={(event) => change(field, event.currentTarget.value)}
              />
            ),
        )}
        {attempt.data && <Answer test={attempt.data} />}
        {error && <Refusal error={error} />}
        <Group gap="xs">
          <Button type="submit" size="sm" loading={save.isPending} disabled={!changed}>
            {t("settings.save")}
          </Button>
          <Button size="sm" variant="default" loading={attempt.isPending} onClick={() => attempt.mutate()}>
            {t(changed ? "settings.testDraft" : "settings.test")}
          </Button>
          {stored && (
            <Button size="sm" variant="subtle" color="red" loading={reset.isPending} onClick={() => reset.mutate()}>
              {t("settings.reset")}
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}

/** A change of a provider, after which all of the settings are read again. */
function useSave(run: () => Promise<Provider>) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: async (saved) => {
      await queries.invalidateQueries({ queryKey: ["settings"] });
      notifications.show({ title: t("settings.saved", { name: saved.name }), message: t("settings.followed") });
    },
  });
}

function Switch({ provider, value, onChange }: { provider: Provider; value: Draft["enabled"]; onChange: (value: Draft["enabled"]) => void }) {
  const { t } = useTranslation();
  const id = useId();
  const choices = provider.needsKey ? (["auto", "on", "off"] as const) : (["on", "off"] as const);
  return (
    <div>
      <Text size="sm" fw={500} id={id}>
        {t("settings.field.enabled")}
      </Text>
      <Text size="xs" c="dimmed" mb={4}>
        <Origin setting={provider.enabled} />
      </Text>
      <SegmentedControl
        aria-labelledby={id}
        disabled={provider.enabled.pinned}
        data={choices.map((choice) => ({ value: choice, label: t(`settings.enabled.${choice}`) }))}
        value={value}
        onChange={(chosen) => onChange(chosen)}
      />
    </div>
  );
}

interface KeyProps {
  label: string;
  setting: Schemas["KeySetting"];
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

/** A key, which nobody can read: it is there or not, and can be replaced or taken away. */
function KeyField({ label, setting, value, onChange }: KeyProps) {
  const { t } = useTranslation();
  const removing = value === "";
  return (
    <div>
      <PasswordInput
        label={label}
        description={<Origin setting={setting} />}
        placeholder={t(removing ? "settings.key.removing" : setting.hasKey ? "settings.key.kept" : "settings.key.none")}
        autoComplete="off"
        readOnly={setting.pinned}
        value={value ?? ""}
        error={setting.unreadable && value === undefined && t("settings.key.unreadable")}
        onChange={(event) => onChange(event.currentTarget.value === "" ? undefined : event.currentTarget.value)}
        visibilityToggleButtonProps={{ "aria-label": t("session.show") }}
      />
      {setting.stored && !setting.pinned && (
        <Button size="compact-xs" variant="subtle" mt={4} onClick={() => onChange(removing ? undefined : "")}>
          {t(removing ? "settings.key.keep" : "settings.key.remove")}
        </Button>
      )}
    </div>
  );
}

/** Where a setting comes from, and who may change it. */
function Origin({ setting }: { setting: Omit<Schemas["KeySetting"], "hasKey" | "unreadable"> }) {
  const { t, i18n } = useTranslation();
  if (setting.pinned) {
    return t("settings.origin.pinned", { variable: setting.variable });
  }
  if (setting.source === "settings" && setting.changedAt !== undefined) {
    return t("settings.origin.settings", { who: setting.changedBy ?? "?", when: moment(setting.changedAt, i18n.language) });
  }
  return t(setting.source === "environment" ? "settings.origin.environment" : "settings.origin.default", { variable: setting.variable });
}

function Answer({ test }: { test: Schemas["ProviderTest"] }) {
  const { t } = useTranslation();
  return (
    <Alert role="status" color={test.ok ? "moss" : "red"} title={t(test.ok ? "settings.works" : "settings.fails", { ms: test.tookMs })}>
      {test.message}
    </Alert>
  );
}
