import { Anchor, Button, Checkbox, Group, List, Modal, Progress, Stack, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { answered, api, type Slot } from "../api/client";
import type { Kind } from "../artwork/url";
import { type Batch, runBatch } from "./batch";
import type { Named } from "./selection";

export type Action = "lock" | "unlock" | "remove";

interface Props {
  action: Action;
  kind: Kind;
  slot: Slot;
  /** Finds who is chosen. */
  subjects: () => Promise<Named[]>;
  count: number;
  onClose: () => void;
}

/** Asks whether it is meant, does it to each, and says of whom it could not be done. */
export function BatchDialog({ action, kind, slot, subjects, count, onClose }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [keepEmpty, setKeepEmpty] = useState(false);
  const [batch, setBatch] = useState<Batch>();
  const [error, setError] = useState<string>();
  const cancel = useRef(new AbortController());
  useEffect(() => () => cancel.current.abort(), []);

  const run = async (find: () => Promise<Named[]>) => {
    setError(undefined);
    cancel.current = new AbortController();
    try {
      await runBatch(await find(), (subject, signal) => change(action, kind, subject.id, slot, keepEmpty, signal), setBatch, cancel.current.signal);
    } catch (error) {
      setError(String(error));
    }
    await Promise.all([queries.invalidateQueries({ queryKey: ["library", kind] }), queries.invalidateQueries({ queryKey: [kind] })]);
  };
  const name = t(`slot.${slot}`);
  const running = batch?.state === "running";
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={!running}
      title={t(`library.batch.${action}.title`, { count, slot: name })}
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      <Stack>
        {!batch && (
          <>
            <Text size="sm">{t(`library.batch.${action}.text`)}</Text>
            {action === "remove" && (
              <Checkbox label={t("library.batch.keepEmpty")} checked={keepEmpty} onChange={(event) => setKeepEmpty(event.currentTarget.checked)} />
            )}
            <Group justify="flex-end">
              <Button variant="default" onClick={onClose}>
                {t("library.batch.leave")}
              </Button>
              <Button data-autofocus color={action === "remove" ? "red" : "moss"} onClick={() => void run(subjects)}>
                {t(`library.batch.${action}.do`)}
              </Button>
            </Group>
          </>
        )}
        {error !== undefined && (
          <Text c="red" size="sm" role="alert">
            {error}
          </Text>
        )}
        {batch && (
          <>
            <Progress
              value={(100 * batch.done) / Math.max(1, batch.total)}
              aria-label={t("library.batch.progress")}
              color={batch.failures.length > 0 ? "orange" : "moss"}
            />
            <Text size="sm" role="status">
              {t(`library.batch.${batch.state}`, { done: batch.done - batch.failures.length, total: batch.total })}
              {batch.failures.length > 0 && ` ${t("library.batch.failed", { count: batch.failures.length })}`}
            </Text>
            {batch.failures.length > 0 && (
              <List size="sm" spacing={4} mah={240} style={{ overflow: "auto" }}>
                {batch.failures.map((failure) => (
                  <List.Item key={failure.id}>
                    <Anchor component={Link} to={`/${kind}s/${failure.id}`}>
                      {failure.name}
                    </Anchor>
                    : {failure.reason}
                  </List.Item>
                ))}
              </List>
            )}
            <Group justify="flex-end">
              {running && (
                <Button variant="default" onClick={() => cancel.current.abort()}>
                  {t("job.cancel")}
                </Button>
              )}
              {!running && batch.failures.length > 0 && (
                <Button variant="light" onClick={() => void run(() => Promise.resolve(batch.failures))}>
                  {t("job.retryFailed")}
                </Button>
              )}
              {!running && <Button onClick={onClose}>{t("action.close")}</Button>}
            </Group>
          </>
        )}
      </Stack>
    </Modal>
  );
}

function change(action: Action, subject: Kind, id: string, type: Slot, keepEmpty: boolean, signal: AbortSignal): Promise<unknown> {
  if (action === "remove") {
    const params = { path: { subject, id, type }, ...(keepEmpty && { query: { keepEmpty } }) };
    return answered(api.DELETE("/api/admin/metadata/{subject}/{id}/images/{type}", { params, signal }));
  }
  return answered(
    api.PUT("/api/admin/metadata/{subject}/{id}/lock", { params: { path: { subject, id } }, body: { type, locked: action === "lock" }, signal }),
  );
}
