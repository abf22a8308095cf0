import "react-image-crop/dist/ReactCrop.css";

import { Alert, Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import ReactCrop, { type PercentCrop } from "react-image-crop";

import type { Size } from "../subject/geometry";
import { cut, largest, percentOf, pixels, ratioOf } from "./crop";
import { limit } from "./files";
import type { Item } from "./queue";
import { useObjectUrl } from "./QueueItem";
import classes from "./Upload.module.css";

interface Props {
  item: Item;
  onDone: (file: File) => void;
  onBack: () => void;
}

const handles = ["nw", "n", "ne", "e", "se", "s", "sw", "w"] as const;

/** Lets a part of a picture be chosen, by hand or by keys, of the shape that its slot has in players. */
export function CropView({ item, onDone, onBack }: Props) {
  const { t } = useTranslation();
  const ratio = ratioOf[item.slot];
  const url = useObjectUrl(item.original);
  const [size, setSize] = useState<Size>();
  const [crop, setCrop] = useState<PercentCrop>();
  const [free, setFree] = useState(ratio === undefined);
  const [work, setWork] = useState<"idle" | "cutting" | "failed">("idle");
  const aspect = free ? undefined : ratio;
  const begin = (of: Size, shape: number | undefined) => setCrop({ unit: "%", ...percentOf(largest(of, shape), of) });
  const part = size && crop && pixels(crop, size);
  const finish = async () => {
    if (!part) {
      return;
    }
    setWork("cutting");
    try {
      onDone(await cut(item.original, part, limit(item.slot)));
    } catch {
      setWork("failed");
    }
  };
  const labels = Object.fromEntries(handles.map((ord) => [`${ord}DragHandle`, t(`subject.crop.handle.${ord}`)])) as Record<
    `${(typeof handles)[number]}DragHandle`,
    string
  >;
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {t("subject.crop.hint")}
      </Text>
      <div className={classes.canvas}>
        <ReactCrop
          {...(crop && { crop })}
          {...(aspect !== undefined && { aspect })}
          onChange={(_, percent) => setCrop(percent)}
          keepSelection
          ruleOfThirds
          minWidth={16}
          minHeight={16}
          ariaLabels={{ cropArea: t("subject.crop.area"), ...labels }}
        >
          <img
            src={url}
            alt=""
            className={classes.picture}
            onLoad={({ currentTarget: { naturalWidth: width, naturalHeight: height } }) => {
              setSize({ width, height });
              begin({ width, height }, aspect);
            }}
          />
        </ReactCrop>
      </div>
      <Group justify="space-between">
        {ratio !== undefined && (
          <SegmentedControl
            size="xs"
            aria-label={t("subject.crop.shape")}
            value={free ? "free" : "fixed"}
            onChange={(value) => {
              setFree(value === "free");
              if (size) {
                begin(size, value === "free" ? undefined : ratio);
              }
            }}
            data={[
              { value: "fixed", label: t(`subject.crop.fixed.${item.slot}`) },
              { value: "free", label: t("subject.crop.free") },
            ]}
          />
        )}
        {part && (
          <Text size="sm" role="status">
            {t("subject.crop.size", { width: part.width, height: part.height })}
          </Text>
        )}
      </Group>
      {work === "failed" && (
        <Alert color="red" role="alert">
          {t("subject.crop.failed")}
        </Alert>
      )}
      <Text size="xs" c="dimmed">
        {t(item.original.type === "image/jpeg" ? "subject.crop.jpeg" : "subject.crop.png")}
      </Text>
      <Group justify="space-between">
        <Button variant="subtle" onClick={onBack}>
          ← {t("action.back")}
        </Button>
        <Group gap="xs">
          <Button variant="default" onClick={() => onDone(item.original)}>
            {t("subject.crop.asIs")}
          </Button>
          <Button
            loading={work === "cutting"}
            disabled={!part || (part.width === size.width && part.height === size.height)}
            onClick={() => void finish()}
          >
            {t("subject.crop.done")}
          </Button>
        </Group>
      </Group>
    </Stack>
  );
}
