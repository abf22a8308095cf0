import { Button, FileButton, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { type DragEvent, useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Slot } from "../api/client";
import { Applying } from "../subject/Applying";
import { type Confirmed, forget, useApply } from "../subject/changes";
import type { Subject } from "../subject/queries";
import { CropView } from "./CropView";
import { accepted, faultOf, limit, received } from "./files";
import { inForce, type Item, itemOf, waits } from "./queue";
import { QueueItem } from "./QueueItem";
import { Refused } from "./Refused";
import { send } from "./send";
import classes from "./Upload.module.css";

interface Props {
  subject: Subject;
  slot: Slot;
  brought: { files: File[]; url?: string };
  onClose: () => void;
  onApplied: (change: Confirmed) => void;
}

/** Takes files by drop, paste, choice or address, lets them be cropped, and sends them one after the other. */
export function UploadDialog({ subject, slot, brought, onClose, onApplied }: Props) {
  const { t } = useTranslation();
  const queue = useQueue(subject, slot, brought.files, onApplied);
  const [cropping, setCropping] = useState<number>();
  const take = (files: File[]) => void queue.add(files);
  usePastedFiles(take);
  const cropped = queue.items.find((item) => item.key === cropping);
  const name = t(`slot.${slot}`);
  const close = () => {
    queue.cancelAll();
    onClose();
  };
  return (
    <Modal
      opened
      onClose={close}
      size="lg"
      fullScreen={useMediaQuery("(max-width: 48em)") ?? false}
      title={`${t("subject.upload.title", { slot: name })} · ${subject.name}`}
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      {cropped ? (
        <CropView
          item={cropped}
          onDone={(file) => {
            queue.change(cropped.key, { file });
            setCropping(undefined);
          }}
          onBack={() => setCropping(undefined)}
        />
      ) : (
        <Stack>
          <Ways subject={subject} slot={slot} url={brought.url} onFiles={take} onApplied={onApplied} onClose={onClose} />
          {queue.items.length > 0 && (
            <ul className={classes.queue} aria-label={t("subject.upload.queue")}>
              {queue.items.map((item) => (
                <QueueItem
                  key={item.key}
                  item={item}
                  kind={subject.kind}
                  alone={queue.items.filter((one) => one.slot === item.slot && waits(one)).length < 2}
                  chosen={queue.chosen.has(item.key)}
                  onChoose={() => queue.choose(item)}
                  onSlot={(to) => queue.move(item, to)}
                  onCrop={() => setCropping(item.key)}
                  onCancel={() => queue.cancel(item)}
                  onRetry={() => queue.change(item.key, { state: "ready", error: undefined, sent: 0 })}
                />
              ))}
            </ul>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t(queue.finished ? "action.close" : "subject.cancel")}
            </Button>
            {queue.items.length > 0 && !queue.finished && (
              <Button onClick={() => void queue.start(onClose)} loading={queue.sending} disabled={!queue.items.some(waits)}>
                {t("subject.upload.start", { count: queue.items.filter(waits).length })}
              </Button>
            )}
          </Group>
        </Stack>
      )}
    </Modal>
  );
}

/** The files of one dialog. They are sent in their order, so that the slow line is not shared. */
function useQueue(subject: Subject, slot: Slot, brought: File[], onApplied: Props["onApplied"]) {
  const queries = useQueryClient();
  const [items, setItems] = useState<Item[]>(() => brought.map((file) => itemOf(slot, file)));
  const [wanted, setWanted] = useState<Partial<Record<Slot, number>>>({});
  const [sending, setSending] = useState(false);
  const aborts = useRef(new Map<number, AbortController>());
  const chosen = inForce(items, wanted);
  // As it is when a file has its turn: one that waited may have been taken away meanwhile, or another one chosen.
  const latest = useRef({ items, chosen });
  useLayoutEffect(() => {
    latest.current = { items, chosen };
  });
  const change = (key: number, to: Partial<Item>) => setItems((before) => before.map((item) => (item.key === key ? { ...item, ...to } : item)));

  const check = async (item: Item) => change(item.key, { fault: await faultOf(item.file, item.slot) });
  const checkAll = useEffectEvent(() => void Promise.all(items.map(check)));
  useEffect(() => checkAll(), []);
  const add = (files: File[]) => {
    const added = files.map((file) => itemOf(slot, file));
    setItems((before) => [...before, ...added]);
    if (added[0] && !items.some((item) => item.slot === slot && waits(item))) {
      setWanted((before) => ({ ...before, [slot]: added[0]?.key })); // what comes after all the others is meant
    }
    return Promise.all(added.map(check));
  };
  const sendOne = async (item: Item): Promise<boolean> => {
    const abort = new AbortController();
    aborts.current.set(item.key, abort);
    change(item.key, { state: "sending", sent: 0 });
    try {
      const apply = latest.current.chosen.has(item.key);
      const confirmed = await send({
        subject,
        slot: item.slot,
        file: item.file,
        apply,
        onProgress: (sent) => change(item.key, { sent }),
        signal: abort.signal,
      });
      change(item.key, { state: "done", applied: confirmed !== undefined });
      if (confirmed) {
        onApplied(confirmed);
      }
      return true;
    } catch (error) {
      change(item.key, abort.signal.aborted ? { state: "cancelled" } : { state: "failed", error: error as Error });
      return false;
    } finally {
      await forget(queries, subject);
    }
  };
  return {
    items,
    chosen,
    sending,
    finished: items.length > 0 && items.every(({ state }) => state === "done" || state === "cancelled"),
    add,
    change,
    choose: (item: Item) => setWanted((before) => ({ ...before, [item.slot]: item.key })),
    move: (item: Item, to: Slot) => change(item.key, { slot: to, file: item.original }),
    start: async (onAllSent: () => void) => {
      setSending(true);
      let all = items.every((item) => item.fault === undefined);
      for (const { key } of items.filter(waits)) {
        const item = latest.current.items.find((one) => one.key === key);
        all = (item === undefined || (await sendOne(item))) && all;
      }
      setSending(false);
      if (all) {
        onAllSent();
      }
    },
    cancel: (item: Item) => {
      const abort = aborts.current.get(item.key);
      if (item.state === "sending" && abort) {
        abort.abort();
      } else {
        setItems((before) => before.filter((one) => one.key !== item.key));
      }
    },
    cancelAll: () => aborts.current.forEach((abort) => abort.abort()),
  };
}

interface WaysProps {
  subject: Subject;
  slot: Slot;
  url: string | undefined;
  onFiles: (files: File[]) => void;
  onApplied: Props["onApplied"];
  onClose: () => void;
}

/** All the ways in which an image can be brought. */
function Ways({ subject, slot, url, onFiles, onApplied, onClose }: WaysProps) {
  const { t } = useTranslation();
  const [over, setOver] = useState(false);
  const [address, setAddress] = useState(url ?? "");
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const dropped = received(event.dataTransfer);
    onFiles(dropped.files);
    if (dropped.url !== undefined) {
      setAddress(dropped.url);
    }
  };
  return (
    <>
      <div
        className={classes.zone}
        data-over={over || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <Text fw={500}>{t("subject.upload.drop")}</Text>
        <FileButton multiple accept={accepted.join(",")} onChange={onFiles}>
          {(props) => (
            <Button {...props} variant="light" data-autofocus>
              {t("subject.upload.choose")}
            </Button>
          )}
        </FileButton>
        <Text size="xs" c="dimmed">
          {t("subject.upload.rules", { megabytes: limit(slot) >> 20 })}
        </Text>
      </div>
      {subject.kind !== "user" && (
        <FromAddress subject={subject} slot={slot} address={address} onAddress={setAddress} onApplied={onApplied} onClose={onClose} />
      )}
    </>
  );
}

interface FromAddressProps extends Omit<WaysProps, "url" | "onFiles"> {
  address: string;
  onAddress: (address: string) => void;
}

/** The server downloads it: this browser shows it only when it is in force. */
function FromAddress({ subject, slot, address, onAddress, onApplied, onClose }: FromAddressProps) {
  const { t } = useTranslation();
  const apply = useApply({ ...subject, slot });
  const submit = () =>
    apply.mutate(
      { url: address.trim(), provider: providerOf(address) },
      {
        onSuccess: (change) => {
          onApplied(change);
          onClose();
        },
      },
    );
  return (
    <form action={submit}>
      <Group align="flex-end" gap="xs" wrap="nowrap">
        <TextInput
          flex={1}
          type="url"
          label={t("subject.upload.address")}
          placeholder="https://"
          value={address}
          onChange={(event) => onAddress(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" loading={apply.isPending} disabled={address.trim() === ""}>
          {t("action.apply")}
        </Button>
      </Group>
      {apply.isPending && <Applying progress={apply.progress} />}
      {apply.error && <Refused error={apply.error} />}
    </form>
  );
}

/** What the history calls the origin of an image that was named by its address: its host. */
function providerOf(address: string): string {
  return (URL.canParse(address) ? new URL(address).hostname : "").slice(0, 64) || "url";
}

/** Takes files that are pasted while the dialog is open, wherever the focus is. */
function usePastedFiles(take: (files: File[]) => void) {
  const onPaste = useEffectEvent((event: ClipboardEvent) => {
    const files = event.clipboardData ? received(event.clipboardData).files : [];
    if (files.length > 0) {
      event.preventDefault();
      take(files);
    }
  });
  useEffect(() => {
    const listener = (event: ClipboardEvent) => onPaste(event);
    document.addEventListener("paste", listener);
    return () => document.removeEventListener("paste", listener);
  }, []);
}
