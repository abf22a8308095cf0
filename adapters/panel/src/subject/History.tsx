import { Badge, Button, Group, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { HistoryEntry } from "../api/client";
import { Refusal } from "../app/Refusal";
import { bytes, moment } from "../artwork/format";
import { formerImageUrl, type Kind } from "../artwork/url";
import { useSession } from "../session/session";
import { useRestore } from "./changes";
import classes from "./Subject.module.css";

/** Every image that was ever in force, the latest first, each one click away. */
export function History({ kind, id, entries }: { kind: Kind; id: string; entries: HistoryEntry[] }) {
  const { t } = useTranslation();
  return (
    <section aria-label={t("history.title")}>
      <Title order={2} size="h4" mb="sm">
        {t("history.title")}
      </Title>
      {entries.length === 0 && <Text c="dimmed">{t("history.empty")}</Text>}
      <Stack component="ul" gap="xs" className={classes.list ?? ""}>
        {entries.map((entry) => (
          <Row key={`${entry.type} ${entry.imageId} ${entry.appliedAt}`} kind={kind} id={id} entry={entry} />
        ))}
      </Stack>
    </section>
  );
}

function Row({ kind, id, entry }: { kind: Kind; id: string; entry: HistoryEntry }) {
  const { t, i18n } = useTranslation();
  const { may } = useSession();
  const restore = useRestore({ kind, id, slot: entry.type });
  return (
    <li>
      <Group wrap="nowrap">
        <img className={classes.former} src={formerImageUrl(kind, id, entry.imageId)} alt="" loading="lazy" width={64} height={64} />
        <div className={classes.words}>
          <Text size="sm" fw={500}>
            {t(`slot.${entry.type}`)} · {entry.provider ?? t(`source.${entry.source}`)}
          </Text>
          <Text size="xs" c="dimmed">
            {t("image.size", { width: entry.width, height: entry.height, bytes: bytes(entry.size, i18n.language) })}
            {" · "}
            {t("image.by", { who: entry.appliedBy, when: moment(entry.appliedAt, i18n.language) })}
          </Text>
          {(entry.licence !== undefined || entry.attribution !== undefined) && (
            <Text size="xs" c="dimmed">
              {[entry.licence, entry.attribution].filter(Boolean).join(" · ")}
            </Text>
          )}
        </div>
        {entry.current ? (
          <Badge>{t("image.current")}</Badge>
        ) : (
          may("write") && (
            <Button size="xs" variant="default" loading={restore.isPending} onClick={() => restore.mutate(entry.imageId)}>
              {t("action.restore")}
            </Button>
          )
        )}
      </Group>
      {restore.error && <Refusal error={restore.error} />}
    </li>
  );
}
