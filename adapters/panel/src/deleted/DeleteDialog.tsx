import { Button, Checkbox, Group, Modal, Stack, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Schemas } from "../api/client";
import { Refusal } from "../app/Refusal";
import { duration } from "../app/time";
import { moment } from "../artwork/format";
import { offerUndo, tellWhen } from "../subject/useConfirm";
import { albumsOptions, catalogueChanged, keepOptions, putBack, type Target, useDiscard } from "./deleted";

interface Props {
  target: Target;
  onClose: () => void;
  /** It is gone: whoever shows it goes elsewhere. */
  onDeleted?: () => void;
}

/** Asks before a subject is deleted, and says what that does and for how long it can be undone. */
export function DeleteDialog({ target, onClose, onDeleted }: Props) {
  const { t, i18n } = useTranslation();
  const [withAlbums, setWithAlbums] = useState(false);
  const offer = useOffer(target);
  const discard = useDiscard(target, (out) => {
    offer(out);
    onClose();
    onDeleted?.();
  });
  const keep = useQuery(keepOptions);
  const albums = useQuery({ ...albumsOptions(target.id), enabled: target.kind === "artist" });
  const count = albums.data ?? 0;
  const unknown = target.kind === "artist" && albums.isPending;
  const failed = discard.error ?? albums.error;
  return (
    <Modal opened onClose={onClose} title={t("deleting.ask", { name: target.name })} centered closeButtonProps={{ "aria-label": t("action.close") }}>
      <Stack>
        <Text>{t(`deleting.what.${target.kind}`)}</Text>
        {keep.data !== undefined && (
          <Text>{t(target.kind === "user" ? "deleting.keepUser" : "deleting.keep", { term: duration(keep.data, i18n.language) })}</Text>
        )}
        {count > 0 && (
          <Checkbox
            checked={withAlbums}
            onChange={(event) => setWithAlbums(event.currentTarget.checked)}
            label={t("deleting.albums", { count })}
            description={t("deleting.albumsHint")}
          />
        )}
        {failed && <Refusal error={failed} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {t("deleting.cancel")}
          </Button>
          <Button color="red" loading={discard.isPending || unknown} disabled={count > 0 && !withAlbums} onClick={() => discard.mutate(withAlbums)}>
            {t("deleting.confirm")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

/** Returns what says that the subject is deleted, and offers to bring it back. */
function useOffer(target: Target) {
  const { t, i18n } = useTranslation();
  const queries = useQueryClient();
  return ({ albums, restorableUntil }: Schemas["SubjectDeleted"]) => {
    const until = restorableUntil === undefined ? "" : moment(restorableUntil, i18n.language);
    const message = albums > 0 ? t("deleting.doneAlbums", { count: albums, until }) : t("deleting.doneUntil", { until });
    const undo = async () => {
      await putBack(target);
      await catalogueChanged(queries);
    };
    if (until === "") {
      return; // somebody has brought it back already
    }
    offerUndo(`deleted ${target.id}`, t("deleting.done", { name: target.name }), message, {
      label: t("action.undo"),
      run: () => tellWhen(undo(), t("deleting.back", { name: target.name }), t("error.title")),
    });
  };
}
