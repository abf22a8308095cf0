import { Anchor, Skeleton, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";

import { bytes } from "../artwork/format";
import { edgeOf, imageUrl, type Size } from "../artwork/url";
import type { Place } from "./changes";
import { pauseAfter } from "./patience";
import classes from "./Subject.module.css";

interface Rendition {
  name: string;
  url: string;
}

const sizes = Object.keys(edgeOf) as Size[];

/** The sizes that can be asked for; profiles have others, under names of their own. */
function renditionsOf({ kind, id, slot }: Place, tag: string): Rendition[] {
  const named = sizes.map((size) => ({ name: size, url: imageUrl(kind, id, slot, { size, tag }) }));
  const own = slot === "profile" ? ["profile-small", "profile-medium", "profile-large"] : [];
  return [...named, ...own.map((name) => ({ name, url: imageUrl(kind, id, name, { tag }) }))];
}

/** The image as the server gives it to players, in every size, with what that costs. */
export function Renditions({ place, name, tag }: { place: Place; name: string; tag: string }) {
  const { t } = useTranslation();
  return (
    <section aria-label={t("subject.renditions.title")}>
      <Title order={2} size="h4">
        {t("subject.renditions.title")}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t("subject.renditions.hint")}
      </Text>
      <ul className={classes.renditions}>
        {renditionsOf(place, tag).map((rendition) => (
          <Served key={rendition.name} rendition={rendition} subject={name} />
        ))}
      </ul>
    </section>
  );
}

interface Measured {
  blob: Blob;
  width: number;
  height: number;
  /** Another size, until this one is ready, or for good if it cannot be made: the server says to ask again. */
  standIn: boolean;
  /** How often it was asked for. */
  asked: number;
}

/** As an <img> would ask for it: the server chooses the format by this. */
const accept = "image/avif,image/webp,image/apng,image/*,*/*;q=0.8";

async function measure(url: string, asked: number, signal: AbortSignal): Promise<Measured> {
  const answer = await fetch(url, { headers: { Accept: accept }, signal });
  if (!answer.ok) {
    throw new Error(`${answer.status} ${answer.statusText}`);
  }
  const blob = await answer.blob();
  const bitmap = await createImageBitmap(blob);
  const { width, height } = bitmap;
  bitmap.close();
  return { blob, width, height, asked, standIn: answer.headers.get("Cache-Control")?.includes("no-cache") === true };
}

function Served({ rendition: { name, url }, subject }: { rendition: Rendition; subject: string }) {
  const { t, i18n } = useTranslation();
  const served = useQuery({
    queryKey: ["rendition", url],
    queryFn: ({ signal, client, queryKey }) => measure(url, (client.getQueryData<Measured>(queryKey)?.asked ?? 0) + 1, signal),
    staleTime: Infinity,
    gcTime: 60_000,
    refetchInterval: ({ state }) => (state.data?.standIn === true ? pauseAfter(state.data.asked) : false),
  });
  const shown = useMemo(() => served.data && URL.createObjectURL(served.data.blob), [served.data]);
  useEffect(() => () => (shown === undefined ? undefined : URL.revokeObjectURL(shown)), [shown]);
  return (
    <li className={classes.rendition}>
      <div className={classes.renditionPicture}>
        {shown !== undefined ? (
          <img src={shown} alt={t("subject.renditions.alt", { size: name, name: subject })} />
        ) : (
          served.isPending && <Skeleton width={96} height={96} />
        )}
      </div>
      <Anchor href={url} target="_blank" rel="noopener" size="sm" fw={600}>
        {name}
      </Anchor>
      <Text size="xs" c="dimmed">
        {served.data && (
          <>
            {served.data.width} × {served.data.height}
            <br />
            {bytes(served.data.blob.size, i18n.language)} · {served.data.blob.type.replace("image/", "").toUpperCase()}
            {served.data.standIn && (
              <>
                <br />
                {t(pauseAfter(served.data.asked) === false ? "subject.renditions.notMade" : "subject.renditions.coming")}
              </>
            )}
          </>
        )}
        {served.error && t("subject.renditions.failed", { why: served.error.message })}
      </Text>
    </li>
  );
}
