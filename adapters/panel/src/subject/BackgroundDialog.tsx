import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { ImageInfo } from "../api/client";
import { Refusal } from "../app/Refusal";
import { imageUrl } from "../artwork/url";
import { usePlacement } from "./changes";
import classes from "./Dialogs.module.css";
import { dragged, middle, moved, readPosition, writePosition, type Point } from "./geometry";
import type { Subject } from "./queries";
import { offerUndo, tellWhen } from "./useConfirm";

interface Props {
  subject: Subject;
  image: ImageInfo;
  onClose: () => void;
}

/** Says how pages are to place the background: it is dragged under a frame of the shape of a header. */
export function BackgroundDialog({ subject, image, onClose }: Props) {
  const { t } = useTranslation();
  const kept = subject.backgroundPosition ?? "center";
  const [position, setPosition] = useState(kept);
  const place = usePlacement(subject);
  const url = imageUrl(subject.kind, subject.id, "background", { tag: image.tag });
  const save = () =>
    place.mutate(position, {
      onSuccess: () => {
        offerUndo(`${subject.id} position`, t("subject.background.saved"), position, {
          label: t("action.undo"),
          run: () => tellWhen(place.mutateAsync(kept), t("subject.background.undone"), t("error.title")),
        });
        onClose();
      },
    });
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      fullScreen={useMediaQuery("(max-width: 48em)") ?? false}
      title={`${t("subject.background.title")} · ${subject.name}`}
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          {t("subject.background.hint")}
        </Text>
        <Frame url={url} image={image} position={position} onMove={setPosition} />
        <div className={classes.shapes} aria-hidden>
          <span className={classes.phone}>
            <img src={url} alt="" style={{ objectPosition: position }} />
          </span>
          <span className={classes.tablet}>
            <img src={url} alt="" style={{ objectPosition: position }} />
          </span>
          <span className={classes.strip}>
            <img src={url} alt="" style={{ objectPosition: position }} />
          </span>
        </div>
        <TextInput
          label={t("subject.background.css")}
          description={t("subject.background.cssHint")}
          value={position}
          onChange={(event) => setPosition(event.currentTarget.value)}
        />
        {place.error && <Refusal error={place.error} />}
        <Group justify="space-between">
          <Button variant="subtle" onClick={() => setPosition("center")}>
            {t("subject.background.center")}
          </Button>
          <Group gap="xs">
            <Button variant="default" onClick={onClose}>
              {t("subject.cancel")}
            </Button>
            <Button loading={place.isPending} disabled={position.trim() === "" || position === kept} onClick={save}>
              {t("subject.save")}
            </Button>
          </Group>
        </Group>
      </Stack>
    </Modal>
  );
}

interface FrameProps {
  url: string;
  image: ImageInfo;
  position: string;
  onMove: (position: string) => void;
}

/** A drag begins where the picture was. */
interface Grip {
  from: Point;
  at: Point;
}

function Frame({ url, image, position, onMove }: FrameProps) {
  const { t } = useTranslation();
  const grip = useRef<Grip | undefined>(undefined);
  const now = readPosition(position) ?? middle;
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    event.currentTarget.focus();
    grip.current = { from: { x: event.clientX, y: event.clientY }, at: now };
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    if (grip.current && event.currentTarget.hasPointerCapture(event.pointerId)) {
      const { from, at } = grip.current;
      const { width, height } = event.currentTarget.getBoundingClientRect();
      onMove(writePosition(dragged(at, { x: event.clientX - from.x, y: event.clientY - from.y }, image, { width, height })));
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const next = moved(now, event.key, event.shiftKey);
    if (next) {
      event.preventDefault();
      onMove(writePosition(next));
    }
  };
  return (
    <div
      className={classes.header}
      role="slider"
      tabIndex={0}
      data-autofocus
      aria-label={t("subject.background.label")}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(Math.min(Math.max(now.y, 0), 1) * 100)}
      aria-valuetext={position}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => (grip.current = undefined)}
      onKeyDown={onKeyDown}
    >
      <img src={url} alt="" draggable={false} style={{ objectPosition: position }} />
    </div>
  );
}
