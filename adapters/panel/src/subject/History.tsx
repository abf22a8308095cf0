import { Badge, Button, Chip, Group, Loader, Stack, Text, Title } from "@mantine/core";
import { Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

const ConfirmDialog = later(async () => ({ default: (await import("./ConfirmDialog")).ConfirmDialog }));

import type { HistoryEntry, Slot } from "../api/client";
import { carryOut } from "../app/carryOut";
import { later } from "../app/later";
import { Refusal } from "../app/Refusal";
import { bytes, moment } from "../artwork/format";
import { formerImageUrl } from "../artwork/url";
import { type Place, useApplyUploaded, usePurge, useRestore } from "./changes";
import { type Explanation, type Subject, useHistory, useMayChange, useWhy } from "./queries";
import classes from "./Subject.module.css";
import { tell, useConfirm } from "./useConfirm";
import { Origin, Rights, RuleText } from "./Why";

type Other = Explanation["others"][number];

/** Every image that was ever in a slot, each one click away, and those that wait for their turn. */
export function History({ kind, id, slot }: Pick<Subject, "kind" | "id"> & { slot: Slot }) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  const history = useHistory({ kind, id });
  const why = useWhy({ kind, id, slot });
  if (history.error) {
    return <Refusal error={history.error} retry={() => void history.refetch()} />;
  }
  if (!history.data) {
    return history.isFetching ? <Loader /> : null;
  }
  const entries = history.data.history.filter((entry) => all || entry.type === slot);
  const known = new Set(history.data.history.map((entry) => entry.imageId));
  const waiting = (why.data?.others ?? []).filter((other) => !known.has(other.imageId));
  const before = why.data?.inForce?.imageId;
  return (
    <>
      {waiting.length > 0 && (
        <section aria-label={t("subject.others.title")}>
          <Title order={2} size="h4">
            {t("subject.others.title")}
          </Title>
          <Text size="sm" c="dimmed" mb="sm">
            {t("subject.others.hint")}
          </Text>
          <Stack component="ul" gap="xs" className={classes.entries ?? ""}>
            {waiting.map((other) => (
              <Waiting key={other.imageId} place={{ kind, id, slot }} other={other} before={before} />
            ))}
          </Stack>
        </section>
      )}
      <section aria-label={t("history.title")}>
        <Group justify="space-between" mb="sm">
          <Title order={2} size="h4">
            {t("history.title")}
          </Title>
          {kind === "artist" && (
            <Chip size="xs" checked={all} onChange={setAll}>
              {t("subject.allSlots")}
            </Chip>
          )}
        </Group>
        {entries.length === 0 && <Text c="dimmed">{t("history.empty")}</Text>}
        <Stack component="ul" gap="xs" className={classes.entries ?? ""}>
          {entries.map((entry, index) => (
            <Former
              key={`${entry.type} ${entry.imageId} ${entry.appliedAt} ${index}`}
              place={{ kind, id, slot: entry.type }}
              entry={entry}
              before={history.data.history.find((one) => one.type === entry.type && one.current)?.imageId}
            />
          ))}
        </Stack>
      </section>
    </>
  );
}

function Former({ place, entry, before }: { place: Place; entry: HistoryEntry; before: string | undefined }) {
  const { t, i18n } = useTranslation();
  const mayChange = useMayChange(place);
  const restore = useRestore(place);
  const confirm = useConfirm(place, before);
  return (
    <li className={classes.entry} data-current={entry.current || undefined}>
      <Thumbnail place={place} entry={entry} />
      <div className={classes.words}>
        <Text size="sm" fw={500}>
          {t(`slot.${entry.type}`)} · <Origin {...entry} />
        </Text>
        <Text size="xs" c="dimmed">
          {t("image.size", { width: entry.width, height: entry.height, bytes: bytes(entry.size, i18n.language) })}
          {" · "}
          {entry.act && `${t(`subject.act.${entry.act}`)} `}
          {t("image.by", { who: entry.appliedBy, when: moment(entry.appliedAt, i18n.language) })}
        </Text>
        {(entry.licence ?? entry.attribution) !== undefined && (
          <Text size="xs" c="dimmed" component="div">
            <Rights {...entry} />
          </Text>
        )}
        {restore.error && <Refusal error={restore.error} />}
      </div>
      <Group gap="xs" className={classes.entryActions ?? ""}>
        {entry.current ? (
          <Badge>{t("image.current")}</Badge>
        ) : (
          mayChange && (
            <Button
              size="xs"
              variant="default"
              loading={restore.isPending}
              onClick={() => carryOut(restore, entry.imageId, (change) => confirm(change))}
            >
              {t("action.restore")}
            </Button>
          )
        )}
        {mayChange && <Purge place={place} image={entry} />}
      </Group>
    </li>
  );
}

/** An image that could be in force: it was uploaded and not chosen, or another source goes first. */
function Waiting({ place, other, before }: { place: Place; other: Other; before: string | undefined }) {
  const { t, i18n } = useTranslation();
  const mayChange = useMayChange(place);
  const use = useApplyUploaded(place);
  const confirm = useConfirm(place, before);
  const usable = mayChange && other.source === "custom" && place.kind !== "user";
  return (
    <li className={classes.entry}>
      <Thumbnail place={place} entry={other} />
      <div className={classes.words}>
        <Text size="sm" fw={500}>
          <Origin {...other} />
          {other.fileName !== undefined && ` · ${other.fileName}`}
          {other.next && (
            <Badge ml="xs" size="sm" variant="light">
              {t("subject.others.next")}
            </Badge>
          )}
        </Text>
        <Text size="xs" c="dimmed">
          {t("image.size", { width: other.width, height: other.height, bytes: bytes(other.size, i18n.language) })}
          {" · "}
          <RuleText rule={other.reason} of="reason" />
        </Text>
        {use.error && <Refusal error={use.error} />}
      </div>
      <Group gap="xs" className={classes.entryActions ?? ""}>
        {usable && (
          <Button size="xs" variant="default" loading={use.isPending} onClick={() => carryOut(use, other.imageId, (change) => confirm(change))}>
            {t("subject.others.use")}
          </Button>
        )}
        {mayChange && <Purge place={place} image={other} />}
      </Group>
    </li>
  );
}

type Pictured = Pick<HistoryEntry, "imageId" | "tag" | "width" | "height">;

function Thumbnail({ place: { kind, id, slot }, entry }: { place: Place; entry: Pictured }) {
  return (
    <img
      className={classes.former}
      src={formerImageUrl(kind, id, slot, entry.imageId, { size: "thumb", tag: entry.tag })}
      alt=""
      loading="lazy"
      width={72}
      height={72}
    />
  );
}

function Purge({ place, image }: { place: Place; image: Pictured }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const purge = usePurge(place);
  // Not a callback of mutate: a live change may take the entry off the page first, and it with it.
  const done = () => {
    setAsking(false);
    tell(t("subject.purge.done"));
  };
  return (
    <>
      <Button size="xs" variant="subtle" color="red" onClick={() => setAsking(true)}>
        {t("subject.purge.action")}
      </Button>
      <Suspense>
        {asking && (
          <ConfirmDialog
            title={t("subject.purge.title")}
            text={
              <Group wrap="nowrap" align="flex-start">
                <Thumbnail place={place} entry={image} />
                <Text>{t("subject.purge.text")}</Text>
              </Group>
            }
            action={t("subject.purge.confirm")}
            pending={purge.isPending}
            error={purge.error}
            onClose={() => setAsking(false)}
            onConfirm={() => void purge.mutateAsync(image.imageId).then(done, () => undefined)}
          />
        )}
      </Suspense>
    </>
  );
}
