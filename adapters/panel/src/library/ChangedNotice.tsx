import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Kind } from "../artwork/url";
import { useLive } from "../live/live";
import classes from "./Library.module.css";

/**
 * In a list by the time of the last change, says how many have changed since it was read,
 * and reads it again when asked to: nothing moves by itself under whoever looks at it.
 */
export function ChangedNotice({ kind }: { kind: Kind }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [changed, setChanged] = useState<ReadonlySet<string>>(new Set());
  const note = (of: Kind, id: string) => of === kind && setChanged((before) => new Set(before).add(id));
  useLive("artist:images:updated", ({ artistId }) => note("artist", artistId));
  useLive("album:cover:updated", ({ albumId }) => note("album", albumId));
  useLive("reload", () => setChanged(new Set())); // which reads it again
  const show = () => {
    setChanged(new Set());
    void queries.invalidateQueries({ queryKey: ["library", kind] });
    window.scrollTo({ top: 0 });
  };
  return (
    <div className={classes.changed} role="status">
      {changed.size > 0 && (
        <Button size="xs" radius="xl" onClick={show}>
          {t("library.changed", { count: changed.size })}
        </Button>
      )}
    </div>
  );
}
