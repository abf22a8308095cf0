import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import i18next from "i18next";
import { useTranslation } from "react-i18next";

import { type Confirmed, type Place, useRestore } from "./changes";

/** For how long an undo is offered, in milliseconds. The history offers it for ever. */
const offered = 20_000;

/** A cross alone says nothing to who does not see it. */
const closing = () => ({ "aria-label": i18next.t("action.close") });

/** Says that something is done. */
export function tell(message: string): void {
  notifications.show({ color: "moss", message, closeButtonProps: closing() });
}

/** Says that something is done, and offers to take it back. */
export function offerUndo(id: string, title: string, message: string, undo: { label: string; run: () => void } | undefined): void {
  notifications.show({
    id,
    color: "moss",
    closeButtonProps: closing(),
    autoClose: offered,
    title,
    message: (
      <>
        {message}
        {undo && (
          <Button
            display="block"
            mt={6}
            size="xs"
            variant="light"
            onClick={() => {
              notifications.hide(id);
              undo.run();
            }}
          >
            {undo.label}
          </Button>
        )}
      </>
    ),
  });
}

/** Says what became of an undo, also if what offered it is not on the page any more. */
export function tellWhen(work: Promise<unknown>, done: string, failed: string): void {
  work.then(
    () => tell(done),
    (error: Error) => notifications.show({ color: "red", title: failed, message: error.message, closeButtonProps: closing() }),
  );
}

/** Returns what says that a change of a place is visible, and offers the image before it. */
export function useConfirm(place: Place, before: string | undefined) {
  const { t } = useTranslation();
  const restore = useRestore(place);
  return (change: Confirmed, message?: string) => {
    const id = `${place.id} ${place.slot} ${Date.now()}`;
    const title = t("applied.title", { ms: Math.ceil(change.visibleAfterMs ?? 0) });
    if (before === undefined) {
      offerUndo(id, title, message ?? t("applied.first"), undefined);
      return;
    }
    const undo = () => tellWhen(restore.mutateAsync(before), t("applied.undone"), t("error.title"));
    offerUndo(id, title, message ?? "", { label: t("action.undo"), run: undo });
  };
}
