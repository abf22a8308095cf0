import { ActionIcon, Badge, Button, Group, Paper, Text, Title } from "@mantine/core";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../api/client";
import { ProviderForm } from "./ProviderForm";
import classes from "./Settings.module.css";

export type Provider = Schemas["ProviderSettings"];

const colors: Record<Provider["state"], string> = { active: "moss", off: "gray", needs_key: "yellow", key_unreadable: "red" };

interface Props {
  provider: Provider;
  place: number;
  /** It is the last of those that can be put in order. */
  last: boolean;
  /** undefined: it cannot be moved. */
  onMove: ((by: -1 | 1, button: HTMLElement) => void) | undefined;
}

/** A provider as it is set up, which opens to set it up otherwise. */
export function ProviderCard({ provider, place, last, onMove }: Props) {
  const { t, i18n } = useTranslation();
  const [open, setOpen] = useState(false);
  const id = useId();
  const { requests, perSeconds } = provider.rate;
  const slots = new Intl.ListFormat(i18n.language, { type: "conjunction" }).format(provider.types.map((slot) => t(`slot.${slot}`)));
  return (
    <Paper withBorder p="md" component="section" aria-labelledby={`${id}-name`}>
      <div className={classes.head}>
        <span className={classes.place} aria-hidden>
          {place}
        </span>
        <div className={classes.name}>
          <Group gap="xs">
            <Title order={3} size="h5" id={`${id}-name`}>
              {provider.name}
            </Title>
            <Badge variant="light" color={colors[provider.state]}>
              {t(`settings.state.${provider.state}`)}
            </Badge>
            {provider.hasKey && (
              <Badge variant="outline" color="gray">
                {t("settings.hasKey")}
              </Badge>
            )}
          </Group>
          <Text className={classes.about ?? ""}>
            {slots === "" ? t("settings.identifiers") : slots}
            {" · "}
            {t("settings.rate", { count: requests, per: perSeconds === 60 ? t("settings.minute") : t("settings.seconds", { count: perSeconds }) })}
          </Text>
        </div>
        {onMove && (
          <Group gap={4} wrap="nowrap">
            {([-1, 1] as const).map((by) => {
              const end = by < 0 ? place === 1 : last;
              return (
                // At an end it stays where the focus can be, and says that it leads nowhere.
                <ActionIcon
                  key={by}
                  size="md"
                  variant="default"
                  aria-label={t(by < 0 ? "settings.order.up" : "settings.order.down", { name: provider.name })}
                  aria-disabled={end || undefined}
                  {...(end && { "data-disabled": true })}
                  onClick={(event) => !end && onMove(by, event.currentTarget)}
                >
                  <span aria-hidden>{by < 0 ? "↑" : "↓"}</span>
                </ActionIcon>
              );
            })}
          </Group>
        )}
        <Button
          size="xs"
          variant={open ? "subtle" : "default"}
          aria-expanded={open}
          aria-controls={`${id}-form`}
          aria-label={t(open ? "settings.closeNamed" : "settings.setUpNamed", { name: provider.name })}
          onClick={() => setOpen(!open)}
        >
          {t(open ? "action.close" : "settings.setUp")}
        </Button>
      </div>
      {provider.note !== undefined && (
        <Text size="sm" mt={6}>
          {provider.note}
        </Text>
      )}
      <div id={`${id}-form`} hidden={!open}>
        {open && <ProviderForm key={provider.revision} provider={provider} />}
      </div>
    </Paper>
  );
}
