import { Button, Chip, Group, Pill, Popover, SegmentedControl, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { type Kind, slotsOf } from "../artwork/url";
import { conditions, type Filter, type FilterName, sources } from "./filters";
import classes from "./Library.module.css";
import { Symbol } from "./Symbol";

export const cardSizes = { s: 104, m: 164, l: 250 } as const;
export type CardSize = keyof typeof cardSizes;

interface Props {
  kind: Kind;
  filter: Filter;
  /** As it is typed, spaces and all. */
  text: string;
  total: number | undefined;
  atLeast: boolean;
  size: CardSize;
  onSize: (size: CardSize) => void;
  onChange: (change: Partial<Record<keyof Filter, string | true | undefined>>) => void;
}

/** What is looked for: a text, and conditions that are shown one by one and taken away one by one. */
export function FilterBar({ kind, filter, text, total, atLeast, size, onSize, onChange }: Props) {
  const { t } = useTranslation();
  const set = conditions(filter);
  return (
    <div className={classes.bar} role="search">
      <div className={classes.tools}>
        <TextInput
          type="search"
          aria-label={t("library.search")}
          placeholder={t("library.search")}
          value={text}
          onChange={(event) => onChange({ query: event.currentTarget.value })}
          className={classes.search ?? ""}
        />
        <Filters kind={kind} filter={filter} count={set.length} onChange={onChange} />
        <SegmentedControl
          aria-label={t("library.size.label")}
          value={size}
          onChange={(value) => onSize(value)}
          data={(["s", "m", "l"] as const).map((value) => ({ value, label: <span title={t(`library.size.${value}`)}>{value.toUpperCase()}</span> }))}
        />
        <span className={classes.total} role="status">
          {total !== undefined && t(atLeast ? "library.atLeast" : "library.total", { count: total })}
        </span>
      </div>
      {set.length > 0 && (
        <div className={classes.chips}>
          {set.map((name) => (
            <Pill
              key={name}
              size="md"
              withRemoveButton
              onRemove={() => onChange({ [name]: undefined })}
              removeButtonProps={{ "aria-label": t("library.filter.remove", { filter: describe(name) }), tabIndex: 0, "aria-hidden": false }}
            >
              {describe(name)}
            </Pill>
          ))}
          {set.length > 1 && (
            <Button size="compact-xs" variant="subtle" onClick={() => onChange(Object.fromEntries(set.map((name) => [name, undefined])))}>
              {t("library.filter.clear")}
            </Button>
          )}
        </div>
      )}
    </div>
  );

  function describe(name: FilterName): string {
    const slot = filter.slot ?? slotsOf[kind][0];
    const of = kind === "artist" && slot ? `${t(`slot.${slot}`)}: ` : "";
    switch (name) {
      case "missing":
        return t(`missing.${(filter.missing ?? "cover") as "profile"}`);
      case "source":
        return of + t(`source.${filter.source ?? "local"}`);
      case "lowResolution":
        return of + t("library.filter.lowResolution");
      default:
        return of + t("library.filter.locked");
    }
  }
}

function Filters({ kind, filter, count, onChange }: Pick<Props, "kind" | "filter" | "onChange"> & { count: number }) {
  const { t } = useTranslation();
  return (
    <Popover position="bottom-start" shadow="md" width={320} trapFocus returnFocus withinPortal>
      <Popover.Target>
        <Button variant={count > 0 ? "light" : "default"} leftSection={<Symbol name="filter" />}>
          {t("library.filter.label")}
          {count > 0 && ` (${count})`}
        </Button>
      </Popover.Target>
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
