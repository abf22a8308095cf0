import { Button, NativeSelect, Pill, SegmentedControl, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { later } from "../app/later";
import { MenuButton } from "../app/MenuButton";
import { type Kind, slotsOf } from "../artwork/url";
import { conditions, type Filter, type FilterName, orders } from "./filters";
import classes from "./Library.module.css";
import { Symbol } from "./Symbol";

const FilterPopover = later(async () => ({ default: (await import("./FilterPopover")).FilterPopover }));

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
        <NativeSelect
          aria-label={t("library.sort.label")}
          className={classes.sort ?? ""}
          value={filter.sort ?? (filter.query === undefined ? "name" : "")}
          onChange={(event) => onChange({ sort: event.currentTarget.value })}
          data={[
            ...(filter.query === undefined ? [] : [{ value: "", label: t("library.sort.best") }]),
            ...orders[kind].map((order) => ({ value: order, label: t(`library.sort.${order}`) })),
          ]}
        />
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
    <MenuButton popup="dialog" menu={(button) => <FilterPopover kind={kind} filter={filter} onChange={onChange} button={button} />}>
      <Button variant={count > 0 ? "light" : "default"} leftSection={<Symbol name="filter" />}>
        {t("library.filter.label")}
        {count > 0 && ` (${count})`}
      </Button>
    </MenuButton>
  );
}
