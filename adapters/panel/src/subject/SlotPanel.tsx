import { Badge, Button, Group, Stack, Text, Title } from "@mantine/core";
import { type DragEvent, lazy, Suspense, useEffect, useEffectEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import type { ImageInfo } from "../api/client";
import { later } from "../app/later";
import { MenuButton } from "../app/MenuButton";
import { Refusal } from "../app/Refusal";
import { imageUrl, squareSlots } from "../artwork/url";
import { received } from "../upload/files";
import { type Place, useLock, useRemove } from "./changes";
import { type Subject, useMayChange, useWhy } from "./queries";
import classes from "./Subject.module.css";
import { tell, useConfirm } from "./useConfirm";
import { Why } from "./Why";

// What opens at a click is loaded at a click.
const UploadDialog = lazy(async () => ({ default: (await import("../upload/UploadDialog")).UploadDialog }));
const BackgroundDialog = lazy(async () => ({ default: (await import("./BackgroundDialog")).BackgroundDialog }));
const FindDialog = lazy(async () => ({ default: (await import("./FindDialog")).FindDialog }));
const FocalDialog = lazy(async () => ({ default: (await import("./FocalDialog")).FocalDialog }));

const RemoveMenu = later(async () => ({ default: (await import("./RemoveMenu")).RemoveMenu }));

/** What was brought to the page: files, or the address of one. */
interface Brought {
  files: File[];
  url?: string;
}

interface Props {
  subject: Subject;
  place: Place;
  image: ImageInfo | undefined;
}

type Dialog = "find" | "focal" | "background" | undefined;

/** One slot: the image in force, what is known of it, and all that can be done about it. */
export function SlotPanel({ subject, place, image }: Props) {
  const { t } = useTranslation();
  const mayChange = useMayChange(subject);
  const why = useWhy(place);
  const [dialog, setDialog] = useState<Dialog>();
  const [brought, setBrought] = useState<Brought>();
  const confirm = useConfirm(place, why.data?.inForce?.imageId);
  const [over, drop] = useDrop(mayChange, setBrought);
  usePaste(mayChange && dialog === undefined && brought === undefined, setBrought);
  const slot = t(`slot.${place.slot}`);
  const close = () => setDialog(undefined);
  return (
    <section className={classes.panel} aria-label={slot} data-over={over || undefined} {...drop}>
      <div className={classes.stage} data-slot={place.slot}>
        {image ? (
          <img
            src={imageUrl(place.kind, place.id, place.slot, { tag: image.tag })}
            alt={t("image.alt", { slot, name: subject.name })}
            width={image.width}
            height={image.height}
            decoding="async"
          />
        ) : (
          <Empty mayChange={mayChange} searched={subject.kind !== "user"} />
        )}
      </div>
      <Stack gap="md" className={classes.facts ?? ""}>
        <Group justify="space-between" wrap="nowrap">
          <Title order={2} size="h3">
            {slot}
          </Title>
          {image?.locked === true && <Badge variant="light">{t("image.locked")}</Badge>}
        </Group>
        {mayChange && <Actions place={place} image={image} onDialog={setDialog} onUpload={() => setBrought({ files: [] })} onDone={confirm} />}
        <Why query={why} image={image} />
      </Stack>
      <Suspense fallback={null}>
        {dialog === "find" && <FindDialog place={place} name={subject.name} image={image} mbid={subject.mbid} onClose={close} onApplied={confirm} />}
        {dialog === "focal" && image && <FocalDialog place={place} name={subject.name} image={image} onClose={close} onSaved={confirm} />}
        {dialog === "background" && image && <BackgroundDialog subject={subject} image={image} onClose={close} />}
        {brought && <UploadDialog subject={subject} slot={place.slot} brought={brought} onClose={() => setBrought(undefined)} onApplied={confirm} />}
      </Suspense>
    </section>
  );
}

function Empty({ mayChange, searched }: { mayChange: boolean; searched: boolean }) {
  const { t } = useTranslation();
  return (
    <div className={classes.empty}>
      <Text fw={500}>{t("image.none")}</Text>
      {mayChange && (
        <Text size="sm" c="dimmed">
          {t(searched ? "subject.dropHere" : "subject.dropAvatarHere")}
        </Text>
      )}
    </div>
  );
}

interface ActionsProps {
  place: Place;
  image: ImageInfo | undefined;
  onDialog: (dialog: Dialog) => void;
  onUpload: () => void;
  onDone: ReturnType<typeof useConfirm>;
}

function Actions({ place, image, onDialog, onUpload, onDone }: ActionsProps) {
  const { t } = useTranslation();
  const remove = useRemove(place);
  const lock = useLock(place);
  const error = remove.error ?? lock.error;
  const take = (keepEmpty: boolean) =>
    remove.mutate(keepEmpty, { onSuccess: (change) => onDone(change, t(keepEmpty ? "subject.removedKeptEmpty" : "applied.removed")) });
  const toggleLock = (locked: boolean) => lock.mutate(locked, { onSuccess: () => tell(t(locked ? "applied.locked" : "applied.unlocked")) });
  return (
    <>
      <Group gap="xs">
        {place.kind !== "user" && (
          <Button size="sm" onClick={() => onDialog("find")}>
            {t("action.find")}
          </Button>
        )}
        <Button size="sm" variant={place.kind === "user" ? "filled" : "default"} onClick={onUpload}>
          {t("action.upload")}
        </Button>
        {image && squareSlots.includes(place.slot) && (
          <Button size="sm" variant="default" onClick={() => onDialog("focal")}>
            {t("subject.focal.action")}
          </Button>
        )}
        {image && place.slot === "background" && (
          <Button size="sm" variant="default" onClick={() => onDialog("background")}>
            {t("subject.background.action")}
          </Button>
        )}
        <Button size="sm" variant="default" loading={lock.isPending} onClick={() => toggleLock(image?.locked !== true)} disabled={!image}>
          {t(image?.locked === true ? "action.unlock" : "action.lock")}
        </Button>
        {image && (
          <MenuButton menu={(button) => <RemoveMenu onRemove={take} button={button} />}>
            <Button size="sm" variant="subtle" color="red" loading={remove.isPending}>
              {t("action.remove")}
            </Button>
          </MenuButton>
        )}
      </Group>
      {error && <Refusal error={error} />}
    </>
  );
}

/** Takes what is dropped anywhere on the slot. The first result is whether something is held over it. */
function useDrop(enabled: boolean, take: (brought: Brought) => void) {
  const [over, setOver] = useState(false);
  if (!enabled) {
    return [false, {}] as const;
  }
  const handlers = {
    onDragOver: (event: DragEvent) => {
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: (event: DragEvent) => {
      if (!event.currentTarget.contains(event.relatedTarget as Node | null)) {
        setOver(false);
      }
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      const brought = received(event.dataTransfer);
      if (brought.files.length > 0 || brought.url !== undefined) {
        take(brought);
      }
    },
  };
  return [over, handlers] as const;
}

/** Takes what is pasted, unless it is pasted into a field. */
function usePaste(enabled: boolean, take: (brought: Brought) => void) {
  const onPaste = useEffectEvent((event: ClipboardEvent) => {
    const into = event.target as Element | null;
    if (!enabled || !event.clipboardData || into?.closest("input, textarea, [contenteditable], [role=dialog]")) {
      return;
    }
    const brought = received(event.clipboardData);
    if (brought.files.length > 0 || brought.url !== undefined) {
      event.preventDefault();
      take(brought);
    }
  });
  useEffect(() => {
    const listener = (event: ClipboardEvent) => onPaste(event);
    document.addEventListener("paste", listener);
    return () => document.removeEventListener("paste", listener);
  }, []);
}
