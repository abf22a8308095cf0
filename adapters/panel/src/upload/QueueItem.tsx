import { Button, Group, NativeSelect, Progress, Radio, Text } from "@mantine/core";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError, type Slot } from "../api/client";
import { bytes } from "../artwork/format";
import { slotsOf, type SubjectKind } from "../artwork/url";
import { fits, ratioOf } from "./crop";
import type { Item } from "./queue";
import { Refused } from "./Refused";
import classes from "./Upload.module.css";

interface Props {
  item: Item;
  kind: SubjectKind;
  /** It is the only one for its slot. */
  alone: boolean;
  chosen: boolean;
  onChoose: () => void;
  onSlot: (slot: Slot) => void;
  onCrop: () => void;
  onCancel: () => void;
  onRetry: () => void;
}

/** One file: what it looks like, where it goes, and how far it has come. */
export function QueueItem({ item, kind, alone, chosen, onChoose, onSlot, onCrop, onCancel, onRetry }: Props) {
  const { t, i18n } = useTranslation();
  const slots = slotsOf[kind];
  const ready = item.state === "ready";
  const url = useObjectUrl(item.file);
  const [size, setSize] = useState<{ width: number; height: number }>();
  const cropped = item.file !== item.original;
  const unlike = size !== undefined && !fits(size, ratioOf[item.slot]);
  return (
    <li className={classes.item}>
      {item.fault === undefined ? (
        <img
          src={url}
          alt=""
          className={classes.thumbnail}
          onLoad={({ currentTarget }) => setSize({ width: currentTarget.naturalWidth, height: currentTarget.naturalHeight })}
        />
      ) : (
        <span className={classes.thumbnail} aria-hidden />
      )}
      <div className={classes.about}>
        <Text size="sm" fw={500} className={classes.fileName ?? ""}>
          {item.original.name}
        </Text>
        <Text size="xs" c="dimmed">
          {size && `${size.width} × ${size.height} · `}
          {bytes(item.file.size, i18n.language)}
          {item.fault === undefined && ` · ${t(cropped ? "subject.upload.cropped" : "subject.upload.asIs")}`}
        </Text>
        {ready && unlike && !cropped && (
          <Text size="xs" className={classes.hint ?? ""}>
            {t("subject.upload.unlike", { slot: t(`slot.${item.slot}`) })}
          </Text>
        )}
        {item.fault !== undefined && <Refused error={new ApiError(0, "", "", undefined, item.fault)} />}
        {item.error && <Refused error={item.error} />}
        {item.state === "sending" && <Sending sent={item.sent} />}
        {item.state === "done" && <Text size="xs">{t(item.applied === true ? "subject.upload.applied" : "subject.upload.kept")}</Text>}
        {item.state === "cancelled" && <Text size="xs">{t("subject.upload.cancelled")}</Text>}
        {ready && item.fault === undefined && (
          <Group gap="xs" mt={4}>
            {slots.length > 1 && (
              <NativeSelect
                size="xs"
                aria-label={t("subject.upload.slotOf", { name: item.original.name })}
                value={item.slot}
                onChange={(event) => onSlot(event.currentTarget.value as Slot)}
                data={slots.map((value) => ({ value, label: t(`slot.${value}`) }))}
              />
            )}
            <Button size="xs" variant={unlike && !cropped ? "light" : "default"} onClick={onCrop}>
              {t("subject.upload.crop")}
            </Button>
            {!alone && <Radio size="xs" checked={chosen} onChange={onChoose} label={t("subject.upload.inForce")} />}
          </Group>
        )}
      </div>
      <Group gap={4} className={classes.itemActions ?? ""}>
        {item.state === "failed" && (
          <Button size="xs" variant="default" onClick={onRetry}>
            {t("action.retry")}
          </Button>
        )}
        {item.state !== "done" && item.state !== "cancelled" && (
          <Button
            size="xs"
            variant="subtle"
            color="gray"
            onClick={onCancel}
            aria-label={t(item.state === "sending" ? "subject.upload.cancelOf" : "subject.upload.dropOf", { name: item.original.name })}
          >
            {t(item.state === "sending" ? "subject.cancel" : "action.remove")}
          </Button>
        )}
      </Group>
    </li>
  );
}

/** While bytes are on their way the bar tells how many; then the server has them all, and tells no more. */
function Sending({ sent }: { sent: number }) {
  const { t } = useTranslation();
  const percent = Math.round(sent * 100);
  return (
    <>
      <Progress value={percent} animated={sent === 1} aria-label={t("subject.upload.progress")} mt={4} />
      <Text size="xs" role="status">
        {sent < 1 ? t("subject.upload.sent", { percent }) : t("subject.upload.checking")}
      </Text>
    </>
  );
}

/** An address in this browser for as long as it is shown. */
export function useObjectUrl(file: Blob): string {
  const url = useMemo(() => URL.createObjectURL(file), [file]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return url;
}
