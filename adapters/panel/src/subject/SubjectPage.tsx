import { Badge, Button, Container, FileButton, Group, Loader, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { answered, api, type HistoryEntry, type ImageInfo, type Slot } from "../api/client";
import { Refusal } from "../app/Refusal";
import { Artwork } from "../artwork/Artwork";
import { bytes } from "../artwork/format";
import { type Kind, slotsOf } from "../artwork/url";
import { useSession } from "../session/session";
import { type Confirmed, type Place, useLock, useRemove, useRestore, useUpload } from "./changes";
import { FindDialog } from "./FindDialog";
import { History } from "./History";
import classes from "./Subject.module.css";

interface Props {
  kind: Kind;
  id: string;
  name: string;
  detail?: string;
  images: Partial<Record<Slot, ImageInfo>>;
}

/** Every slot of a subject, and what was ever in it. */
export function SubjectPage({ kind, id, name, detail, images }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { may } = useSession();
  const history = useQuery({
    queryKey: [kind, id, "history"],
    queryFn: ({ signal }) => answered(api.GET("/api/admin/metadata/{subject}/{id}/history", { params: { path: { subject: kind, id } }, signal })),
    enabled: may("read"),
  });
  return (
    <Container size="lg" py="md">
      <Stack gap="lg">
        <Group>
          <Button variant="subtle" size="xs" onClick={() => void navigate(-1)}>
            ← {t("action.back")}
          </Button>
          <div>
            <Title order={1} size="h2">
              {name}
            </Title>
            {detail !== undefined && <Text c="dimmed">{detail}</Text>}
          </div>
        </Group>
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          {slotsOf[kind].map((slot) => (
            <SlotCard key={slot} place={{ kind, id, slot }} name={name} image={images[slot]} history={history.data?.history ?? []} />
          ))}
        </SimpleGrid>
        {history.error && <Refusal error={history.error} retry={() => void history.refetch()} />}
        {history.isFetching && !history.data && <Loader />}
        {history.data && <History kind={kind} id={id} entries={history.data.history} />}
      </Stack>
    </Container>
  );
}

interface SlotProps {
  place: Place;
  name: string;
  image: ImageInfo | undefined;
  history: HistoryEntry[];
}

function SlotCard({ place, name, image, history }: SlotProps) {
  const { t, i18n } = useTranslation();
  const { may } = useSession();
  const [finding, setFinding] = useState(false);
  const upload = useUpload(place);
  const remove = useRemove(place);
  const lock = useLock(place);
  const restore = useRestore(place);
  const before = history.find((entry) => entry.type === place.slot && entry.current)?.imageId;

  /** Says that a change is visible, and offers the image before it. */
  const confirm = (change: Confirmed) =>
    notifications.show({
      color: "moss",
      autoClose: 15_000,
      title: t("applied.title", { ms: Math.ceil(change.visibleAfterMs ?? 0) }),
      message:
        before === undefined ? (
          t("applied.first")
        ) : (
          <Button
            size="compact-xs"
            variant="light"
            onClick={() => restore.mutate(before, { onSuccess: () => notifications.show({ message: t("applied.undone") }) })}
          >
            {t("action.undo")}
          </Button>
        ),
    });
  const error = upload.error ?? remove.error ?? lock.error ?? restore.error;
  const slot = t(`slot.${place.slot}`);
  return (
    <section className={classes.slot} aria-label={slot}>
      <Group justify="space-between">
        <Title order={2} size="h4">
          {slot}
        </Title>
        {image?.locked === true && <Badge variant="light">{t("image.locked")}</Badge>}
      </Group>
      <div className={classes.stage}>
        {image ? (
          <Artwork {...place} tag={image.tag} alt={t("image.alt", { slot, name })} width={320} height={240} />
        ) : (
          <Text c="dimmed">{t("image.none")}</Text>
        )}
      </div>
      {image && (
        <Text size="sm" c="dimmed">
          {t("image.size", { width: image.width, height: image.height, bytes: bytes(image.size, i18n.language) })}
          {" · "}
          {image.provider ?? t(`source.${image.source}`)}
        </Text>
      )}
      {may("write") && (
        <Group gap="xs">
          <Button size="xs" onClick={() => setFinding(true)}>
            {t("action.find")}
          </Button>
          <FileButton
            accept="image/jpeg,image/png,image/webp,image/gif,image/avif"
            onChange={(file) => file && upload.mutate(file, { onSuccess: confirm })}
          >
            {(props) => (
              <Button {...props} size="xs" variant="default" loading={upload.isPending}>
                {t("action.upload")}
              </Button>
            )}
          </FileButton>
          {image && (
            <>
              <Button size="xs" variant="default" loading={lock.isPending} onClick={() => lock.mutate(!image.locked)}>
                {t(image.locked ? "action.unlock" : "action.lock")}
              </Button>
              <Button
                size="xs"
                variant="subtle"
                color="red"
                loading={remove.isPending}
                onClick={() => remove.mutate(undefined, { onSuccess: confirm })}
              >
                {t("action.remove")}
              </Button>
            </>
          )}
        </Group>
      )}
      {error && <Refusal error={error} />}
      {finding && <FindDialog place={place} name={name} image={image} onClose={() => setFinding(false)} onApplied={confirm} />}
    </section>
  );
}
