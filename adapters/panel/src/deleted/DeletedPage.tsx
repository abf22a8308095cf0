import { Alert, Anchor, Badge, Button, Loader, SegmentedControl, Stack, Text, ThemeIcon } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";

import { carryOut } from "../app/carryOut";
import { Icon } from "../app/Icon";
import { Page } from "../app/Page";
import { Refusal } from "../app/Refusal";
import { ago, duration } from "../app/time";
import { useNow } from "../app/useNow";
import { moment } from "../artwork/format";
import type { SubjectKind } from "../artwork/url";
import { Restricted } from "../session/Restricted";
import { useSession } from "../session/session";
import { addressOf, deletedOptions, type DeletedSubject, kinds, usePutBack } from "./deleted";
import classes from "./Deleted.module.css";

/** What was deleted and can be restored. */
export function DeletedPage() {
  const { t } = useTranslation();
  return (
    <Restricted needs="write" title={t("deleting.title")}>
      <Page title={t("deleting.title")} lead={t("deleting.lead")}>
        <List />
      </Page>
    </Restricted>
  );
}

/** What came back, and with what. */
interface Back {
  subject: DeletedSubject;
  albums: number;
  left: number;
}

function List() {
  const { t } = useTranslation();
  const [address, setAddress] = useSearchParams();
  const kind = kinds.find((one) => one === address.get("kind"));
  const [back, setBack] = useState<Back>();
  const deleted = useInfiniteQuery({ ...deletedOptions(kind), placeholderData: keepPreviousData });
  const items = deleted.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <SegmentedControl
        className={classes.kinds ?? ""}
        aria-label={t("deleting.show")}
        value={kind ?? "all"}
        onChange={(value) => setAddress(value === "all" ? {} : { kind: value }, { replace: true })}
        data={(["all", ...kinds] as const).map((value) => ({ value, label: t(`deleting.kinds.${value}`) }))}
      />
      {back && <IsBack key={back.subject.id} {...back} />}
      {deleted.error && <Refusal error={deleted.error} retry={() => void deleted.refetch()} />}
      {deleted.isPending && <Loader aria-label={t("shell.loading")} />}
      {deleted.data && items.length === 0 && <Nothing kind={kind} keepSeconds={deleted.data.pages[0]?.keepSeconds ?? 0} />}
      {items.length > 0 && (
        <ul className={classes.list} aria-busy={deleted.isPlaceholderData}>
          {items.map((subject) => (
            <Row key={`${subject.kind} ${subject.id}`} subject={subject} onBack={setBack} />
          ))}
        </ul>
      )}
      {deleted.hasNextPage && (
        <Button variant="default" loading={deleted.isFetchingNextPage} onClick={() => void deleted.fetchNextPage()}>
          {t("deleting.more")}
        </Button>
      )}
    </>
  );
}

/** Says what came back, and leads there. What was pressed for it has gone: the focus goes on here. */
function IsBack({ subject, albums, left }: Back) {
  const { t } = useTranslation();
  const { name } = subject;
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => link.current?.focus(), []);
  return (
    <Alert color="moss" role="status" icon={<Icon name="check" />}>
      {albums > 0 ? t("deleting.backWith", { name, count: albums }) : t("deleting.back", { name })}{" "}
      {left > 0 && `${t("deleting.left", { count: left })} `}
      <Anchor ref={link} component={Link} to={addressOf(subject)} size="sm" underline="always">
        {t("deleting.open", { name })}
      </Anchor>
    </Alert>
  );
}

function Nothing({ kind, keepSeconds }: { kind: SubjectKind | undefined; keepSeconds: number }) {
  const { t, i18n } = useTranslation();
  return (
    <Stack align="center" ta="center" gap="xs" py={48} role="status">
      <ThemeIcon size={64} radius="xl" variant="light" color="gray" aria-hidden>
        <Icon name="bin" size={28} />
      </ThemeIcon>
      <Text fw={600}>{t(kind ? "deleting.noneOfKind" : "deleting.none")}</Text>
      <Text c="dimmed" maw={420}>
        {t("deleting.noneHint", { term: duration(keepSeconds, i18n.language) })}
      </Text>
    </Stack>
  );
}

/** The end is so near that one should know, in milliseconds. */
const soon = 3 * 86_400_000;

function Row({ subject, onBack }: { subject: DeletedSubject; onBack: (back: Back) => void }) {
  const { t, i18n } = useTranslation();
  const { may } = useSession();
  const now = useNow(30_000);
  const restore = usePutBack();
  const { kind, name, deletedAt, deletedBy, restorableUntil } = subject;
  const ends = new Date(restorableUntil).getTime() - now < soon;
  return (
    <li className={classes.row} aria-label={name}>
      <ThemeIcon className={classes.icon ?? ""} size={40} radius="xl" variant="light" color="gray" role="img" aria-label={t(`deleting.kind.${kind}`)}>
        <Icon name={`${kind}s`} />
      </ThemeIcon>
      <div className={classes.name}>
        <Text fw={550}>{name}</Text>
        <Beside subject={subject} />
      </div>
      <div className={classes.facts}>
        <Text size="sm" c="dimmed" title={moment(deletedAt, i18n.language)}>
          {t("deleting.by", { when: ago(deletedAt, now, i18n.language), who: deletedBy })}
        </Text>
        <Badge variant="light" tt="none" color={ends ? "red" : "gray"} title={moment(restorableUntil, i18n.language)}>
          {t("deleting.until", { when: ago(restorableUntil, now, i18n.language) })}
        </Badge>
      </div>
      <div className={classes.action}>
        {kind === "user" && !may("admin") ? (
          <Text size="sm" c="dimmed">
            {t("deleting.forAdmins")}
          </Text>
        ) : (
          <Button
            size="xs"
            variant="default"
            loading={restore.isPending}
            aria-label={t("deleting.restoreNamed", { name })}
            onClick={() => carryOut(restore, subject, ({ albums, albumsLeft }) => onBack({ subject, albums, left: albumsLeft }))}
          >
            {t("deleting.restore")}
          </Button>
        )}
      </div>
      {restore.error && (
        <div className={classes.refusal}>
          <Refusal error={restore.error} />
        </div>
      )}
    </li>
  );
}

/** Whose album it is, and who went with whom. */
function Beside({ subject: { artistName, albums = 0, withArtist } }: { subject: DeletedSubject }) {
  const { t } = useTranslation();
  const facts = [artistName, albums > 0 && t("deleting.withAlbums", { count: albums }), withArtist === true && t("deleting.withArtist")];
  return (
    <Text size="sm" c="dimmed">
      {facts.filter((fact) => typeof fact === "string" && fact !== "").join(" · ")}
    </Text>
  );
}
