import { Button, CloseButton, NativeSelect } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { answered, api, type Slot } from "../api/client";
import { later } from "../app/later";
import { type Kind, slotsOf } from "../artwork/url";
import type { Action } from "./BatchDialog";
import { loadPage } from "./entries";
import type { Filter } from "./filters";
import classes from "./Library.module.css";
import { countOf, isChosen, type Named, type Selection } from "./selection";

const BatchDialog = later(async () => ({ default: (await import("./BatchDialog")).BatchDialog }));

/** So many subjects one action may be about. */
export const mostAtOnce = 10_000;

interface Props {
  kind: Kind;
  /** The slot that actions are about, until another one is chosen. */
  slot: Slot;
  filter: Filter;
  selection: Selection;
  total: number;
  onAll: () => void;
  onNone: () => void;
}

/** What can be done with those who are chosen. */
export function SelectionBar({ kind, slot, filter, selection, total, onAll, onNone }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [about, setAbout] = useState<Slot>();
  const [action, setAction] = useState<Action>();
  const place = about ?? slot;
  const count = countOf(selection, total);
  const subjects = () => whoIsChosen(kind, filter, selection);
  const fill = useMutation({
    mutationFn: async () => {
      const only = (await subjects()).map(({ id }) => id);
      return answered(api.POST("/api/admin/metadata/fill", { body: { type: place, dryRun: true, minScore: 0.7, again: false, only } }));
    },
    onSuccess: ({ jobId }) => navigate(`/fill/${jobId}`),
    onError: (error) => notifications.show({ color: "red", title: t("error.title"), message: error.message }),
  });
  if (count === 0) {
    return null;
  }
  const tooMany = count > mostAtOnce;
  return (
    <section className={classes.actions} aria-label={t("library.selection.label")}>
      <span className={classes.count} aria-live="polite">
        {t("library.selection.count", { count })}
      </span>
      {!selection.all && count < total && (
        <Button size="compact-sm" variant="subtle" onClick={onAll}>
          {t("library.selection.all", { count: total })}
        </Button>
      )}
      {kind === "artist" && (
        <NativeSelect
          size="xs"
          aria-label={t("library.selection.slot")}
          data={slotsOf[kind].map((one) => ({ value: one, label: t(`slot.${one}`) }))}
          value={place}
          onChange={(event) => setAbout(event.currentTarget.value as Slot)}
        />
      )}
      <Button size="xs" loading={fill.isPending} disabled={tooMany} onClick={() => fill.mutate()}>
        {t("library.selection.fill")}
      </Button>
      {(["lock", "unlock"] as const).map((one) => (
        <Button key={one} size="xs" variant="default" disabled={tooMany} onClick={() => setAction(one)}>
          {t(`action.${one}`)}
        </Button>
      ))}
      <Button size="xs" variant="default" c="red" disabled={tooMany} onClick={() => setAction("remove")}>
        {t("library.selection.remove")}
      </Button>
      <CloseButton aria-label={t("library.selection.none")} title={t("library.selection.none")} onClick={onNone} />
      {tooMany && <span className={classes.detail}>{t("library.selection.tooMany", { count: mostAtOnce })}</span>}
      <Suspense>
        {action && <BatchDialog action={action} kind={kind} slot={place} subjects={subjects} count={count} onClose={() => setAction(undefined)} />}
      </Suspense>
    </section>
  );
}

/** Reads who is chosen: of all that match that takes a walk over the list. */
async function whoIsChosen(kind: Kind, filter: Filter, selection: Selection): Promise<Named[]> {
  if (!selection.all) {
    return [...selection.named].map(([id, name]) => ({ id, name }));
  }
  const found: Named[] = [];
  let page = await loadPage(kind, filter, { page: 1 });
  for (;;) {
    found.push(...page.entries.filter(({ id }) => isChosen(selection, id)).map(({ id, name }) => ({ id, name })));
    if (page.next === undefined || found.length >= mostAtOnce) {
      return found.slice(0, mostAtOnce);
    }
    page = await loadPage(kind, filter, { cursor: page.next });
  }
}
