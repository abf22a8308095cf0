import { Chip, Group, Popover, Stack, Switch, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { type Kind, slotsOf } from "../artwork/url";
import { type Filter, sources } from "./filters";

interface Props {
  kind: Kind;
  filter: Filter;
  onChange: (change: Partial<Record<keyof Filter, string | true | undefined>>) => void;
  button: ReactElement;
}

/** The conditions that subjects may be filtered by. */
export function FilterPopover({ kind, filter, onChange, button }: Props) {
  const { t } = useTranslation();
  return (
    <Popover defaultOpened position="bottom-start" shadow="md" width={320} trapFocus returnFocus withinPortal>
      <Popover.Target>{button}</Popover.Target>
      <Popover.Dropdown aria-label={t("library.filter.label")}>
        <Stack gap="md">
          <Chips
            label={t("library.filter.missing")}
            values={slotsOf[kind].map((slot) => [slot, t(`slot.${slot}`)])}
            value={filter.missing}
            onChange={(missing) => onChange({ missing })}
          />
          <Chips
            label={t("library.filter.source")}
            values={sources.map((source) => [source, t(`source.${source}`)])}
            value={filter.source}
            onChange={(source) => onChange({ source })}
          />
          <Switch
            label={t("library.filter.lowResolution")}
            checked={filter.lowResolution === true}
            onChange={(event) => onChange({ lowResolution: event.currentTarget.checked || undefined })}
          />
          <Switch
            label={t("library.filter.locked")}
            checked={filter.locked === true}
            onChange={(event) => onChange({ locked: event.currentTarget.checked || undefined })}
          />
          {kind === "artist" && (
            <Chips
              label={t("library.filter.slot")}
              values={slotsOf[kind].map((slot) => [slot, t(`slot.${slot}`)])}
              value={filter.slot ?? "profile"}
              disabled={filter.source === undefined && !filter.lowResolution && !filter.locked}
              onChange={(slot) => slot !== undefined && onChange({ slot })}
            />
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

interface ChipsProps {
  label: string;
  values: [value: string, label: string][];
  value: string | undefined;
  disabled?: boolean;
  onChange: (value: string | undefined) => void;
}

/** Some values of which at most one is chosen; who chooses it again takes it away. */
function Chips({ label, values, value, disabled = false, onChange }: ChipsProps) {
  return (
    <div role="group" aria-label={label}>
      <Text size="sm" fw={500} mb={6} {...(disabled && { c: "dimmed" })}>
        {label}
      </Text>
      <Group gap={6}>
        {values.map(([one, text]) => (
          <Chip key={one} size="xs" checked={value === one} disabled={disabled} onChange={(checked) => onChange(checked ? one : undefined)}>
            {text}
          </Chip>
        ))}
      </Group>
    </div>
  );
}
