import { Button, Group, Modal, NumberInput, Stack, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { ImageInfo } from "../api/client";
import { Refusal } from "../app/Refusal";
import { imageUrl } from "../artwork/url";
import { type Confirmed, type Place, useFocus } from "./changes";
import classes from "./Dialogs.module.css";
import { inside, middle, moved, placement, pointAt, squareAround, type Point } from "./geometry";

interface Props {
  place: Place;
  name: string;
  image: ImageInfo;
  onClose: () => void;
  onSaved: (change: Confirmed, message: string) => void;
}

/** Sets what crops are to keep: a marker on the image, by hand or by keys, and what becomes of it. */
export function FocalDialog({ place, name, image, onClose, onSaved }: Props) {
  const { t } = useTranslation();
  const kept = image.focalPoint ?? middle;
  const [point, setPoint] = useState<Point>(kept);
  const focus = useFocus(place);
  const url = imageUrl(place.kind, place.id, place.slot, { tag: image.tag });
  const save = () =>
    focus.mutate(point, {
      onSuccess: (change) => {
        onSaved(change, t("subject.focal.saved"));
        onClose();
      },
    });
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      fullScreen={useMediaQuery("(max-width: 48em)") ?? false}
      title={`${t("subject.focal.title")} · ${name}`}
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      <Stack>
        <Text size="sm" c="dimmed">
          {t(image.width === image.height ? "subject.focal.square" : "subject.focal.hint")}
        </Text>
        <div className={classes.focal}>
          <Marker url={url} image={image} point={point} onMove={setPoint} />
          <div className={classes.crops}>
            {([176, 88, 44] as const).map((edge) => (
              <Crop key={edge} url={url} image={image} point={point} edge={edge} />
            ))}
            <Text size="xs" c="dimmed">
              {t("subject.focal.preview")}
            </Text>
          </div>
        </div>
        <Group gap="sm">
          <Fraction label={t("subject.focal.x")} value={point.x} onChange={(x) => setPoint(inside({ ...point, x }))} />
          <Fraction label={t("subject.focal.y")} value={point.y} onChange={(y) => setPoint(inside({ ...point, y }))} />
        </Group>
        {focus.error && <Refusal error={focus.error} />}
        <Group justify="space-between">
          <Button variant="subtle" onClick={() => setPoint(middle)}>
            {t("subject.focal.middle")}
          </Button>
          <Group gap="xs">
            <Button variant="default" onClick={onClose}>
              {t("subject.cancel")}
            </Button>
            <Button loading={focus.isPending} disabled={point.x === kept.x && point.y === kept.y} onClick={save}>
              {t("subject.save")}
            </Button>
          </Group>
        </Group>
      </Stack>
    </Modal>
  );
}

interface MarkerProps {
  url: string;
  image: ImageInfo;
  point: Point;
  onMove: (point: Point) => void;
}

/** The whole image, with the point on it and the part that a square keeps. */
function Marker({ url, image, point, onMove }: MarkerProps) {
  const { t } = useTranslation();
  const frame = useRef<HTMLDivElement>(null);
  const marker = useRef<HTMLDivElement>(null);
  const square = squareAround(point, image);
  const follow = (event: PointerEvent) => {
    if (frame.current) {
      const { left, top, width, height } = frame.current.getBoundingClientRect();
      onMove(pointAt({ x: event.clientX, y: event.clientY }, { x: left, y: top, width, height }));
    }
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    marker.current?.focus();
    follow(event);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const next = moved(point, event.key, event.shiftKey);
    if (next) {
      event.preventDefault();
      onMove(next);
    }
  };
  const percent = (value: number) => `${value * 100}%`;
  return (
    <div className={classes.canvas}>
      <div
        ref={frame}
        className={classes.frame}
        data-testid="focal-frame"
        onPointerDown={onPointerDown}
        onPointerMove={(event) => event.currentTarget.hasPointerCapture(event.pointerId) && follow(event)}
      >
        <img src={url} alt="" draggable={false} width={image.width} height={image.height} />
        <span
          className={classes.kept}
          style={{
            left: percent(square.x / image.width),
            top: percent(square.y / image.height),
            width: percent(square.width / image.width),
            height: percent(square.height / image.height),
          }}
        />
        <div
          ref={marker}
          className={classes.marker}
          style={{ left: percent(point.x), top: percent(point.y) }}
          role="slider"
          tabIndex={0}
          data-autofocus
          aria-label={t("subject.focal.label")}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(point.x * 100)}
          aria-valuetext={t("subject.focal.at", { x: Math.round(point.x * 100), y: Math.round(point.y * 100) })}
          onKeyDown={onKeyDown}
        />
      </div>
    </div>
  );
}

/** What a square of the image keeps. */
function Crop({ url, image, point, edge }: { url: string; image: ImageInfo; point: Point; edge: number }) {
  const at = placement(squareAround(point, image), image);
  return (
    <span className={classes.crop} style={{ width: edge, height: edge }}>
      <img
        src={url}
        alt=""
        draggable={false}
        style={{ width: at.width * edge, height: at.height * edge, left: at.left * edge, top: at.top * edge }}
      />
    </span>
  );
}

function Fraction({ label, value, onChange }: { label: string; value: number; onChange: (value: number) => void }) {
  return (
    <NumberInput
      label={label}
      value={Math.round(value * 100)}
      onChange={(percent) => typeof percent === "number" && onChange(percent / 100)}
      min={0}
      max={100}
      allowDecimal={false}
      suffix=" %"
      w={150}
    />
  );
}
