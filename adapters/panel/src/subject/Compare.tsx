import { Alert, Button, Group, SegmentedControl, Slider, Stack, Text } from "@mantine/core";
import { type ReactNode, type SyntheticEvent, type UIEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { type Offer, ratio } from "./candidates";
import classes from "./Find.module.css";
import type { Size } from "./geometry";

type Way = "swipe" | "beside";
type Zoom = "fit" | "1" | "2";

interface Props {
  /** Where the image in force is; undefined: there is none. */
  now: string | undefined;
  then: string;
  offer: Offer;
  /** What people call it. */
  provider: string;
  onBack: () => void;
  action: ReactNode;
}

/** The image in force and a candidate in one place: one over the other with a line to draw, or side by side. */
export function Compare({ now, then, offer, provider, onBack, action }: Props) {
  const { t } = useTranslation();
  const [way, setWay] = useState<Way>(now === undefined ? "beside" : "swipe");
  const [zoom, setZoom] = useState<Zoom>("fit");
  const [sizes, setSizes] = useState<{ now?: Size; then?: Size }>({});
  const [failed, setFailed] = useState(false);
  const measured = (which: "now" | "then") => (event: SyntheticEvent<HTMLImageElement>) => {
    const { naturalWidth: width, naturalHeight: height } = event.currentTarget;
    setSizes((before) => ({ ...before, [which]: { width, height } }));
  };
  const pictures: Pictures = { now, then, sizes, zoom, measured, onFailed: () => setFailed(true) };
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Button size="xs" variant="subtle" onClick={onBack} data-autofocus>
          ← {t("subject.compare.back")}
        </Button>
        <Group gap="xs">
          {now !== undefined && (
            <SegmentedControl
              size="xs"
              aria-label={t("subject.compare.way")}
              value={way}
              onChange={(value) => setWay(value)}
              data={(["swipe", "beside"] as const).map((value) => ({ value, label: t(`subject.compare.${value}`) }))}
            />
          )}
          <SegmentedControl
            size="xs"
            aria-label={t("subject.compare.zoom")}
            value={zoom}
            onChange={(value) => setZoom(value)}
            data={[
              { value: "fit", label: t("subject.compare.fit") },
              { value: "1", label: "100 %" },
              { value: "2", label: "200 %" },
            ]}
          />
        </Group>
      </Group>
      {failed && <Alert color="yellow">{t("subject.compare.failed")}</Alert>}
      {way === "swipe" && now !== undefined ? <Swipe {...pictures} now={now} /> : <Beside {...pictures} />}
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {provider}
          {offer.licence !== undefined && ` · ${offer.licence}`}
          {offer.attribution !== undefined && ` · ${offer.attribution}`}
        </Text>
        {action}
      </Group>
    </Stack>
  );
}

interface Pictures {
  now: string | undefined;
  then: string;
  sizes: { now?: Size; then?: Size };
  zoom: Zoom;
  measured: (which: "now" | "then") => (event: SyntheticEvent<HTMLImageElement>) => void;
  onFailed: () => void;
}

/** How large a picture is drawn, in CSS pixels: a pixel of it is one of the screen at 100 %. */
function drawn(size: Size | undefined, zoom: Zoom): { width: number; height: number } | undefined {
  const scale = Number(zoom) / (globalThis.devicePixelRatio || 1);
  return size && { width: size.width * scale, height: size.height * scale };
}

/** Both in one frame of the larger one's size: what is smaller is enlarged, as it would be on a page. */
function Swipe({ now, then, sizes, zoom, measured, onFailed }: Pictures & { now: string }) {
  const { t } = useTranslation();
  const [line, setLine] = useState(50);
  const larger = (sizes.now?.width ?? 0) > (sizes.then?.width ?? 0) ? sizes.now : (sizes.then ?? sizes.now);
  const style = zoom === "fit" ? undefined : drawn(larger, zoom);
  return (
    <Stack gap="xs">
      <div className={classes.stage} data-zoom={zoom} role="region" aria-label={t("subject.compare.pictures")} tabIndex={0}>
        <div className={classes.over} style={style}>
          <img src={then} alt={t("find.candidate")} onLoad={measured("then")} onError={onFailed} draggable={false} />
          <img
            src={now}
            alt={t("find.current")}
            onLoad={measured("now")}
            draggable={false}
            className={classes.upper}
            style={{ clipPath: `inset(0 ${100 - line}% 0 0)` }}
          />
          <span className={classes.line} style={{ left: `${line}%` }} aria-hidden />
        </div>
      </div>
      <Slider thumbLabel={t("subject.compare.line")} value={line} onChange={setLine} label={null} />
      <Group justify="space-between">
        <Text size="xs" c="dimmed">
          ◀ <Told title={t("find.current")} size={sizes.now} />
        </Text>
        <Text size="xs" c="dimmed">
          <Told title={t("find.candidate")} size={sizes.then} /> ▶
        </Text>
      </Group>
    </Stack>
  );
}

/** Each in its own size; who moves one moves the other by as much of it. */
function Beside({ now, then, sizes, zoom, measured, onFailed }: Pictures) {
  const { t } = useTranslation();
  const frames = useRef<(HTMLDivElement | null)[]>([]);
  const follow = (index: number) => (event: UIEvent<HTMLDivElement>) => {
    const from = event.currentTarget;
    const other = frames.current[1 - index];
    if (other && from.matches(":hover, :focus")) {
      const part = (at: number, whole: number, seen: number) => at / Math.max(1, whole - seen);
      other.scrollLeft = part(from.scrollLeft, from.scrollWidth, from.clientWidth) * (other.scrollWidth - other.clientWidth);
      other.scrollTop = part(from.scrollTop, from.scrollHeight, from.clientHeight) * (other.scrollHeight - other.clientHeight);
    }
  };
  const both = [
    { which: "now", src: now, title: t("find.current") },
    { which: "then", src: then, title: t("find.candidate") },
  ] as const;
  return (
    <div className={classes.beside}>
      {both.map(({ which, src, title }, index) => (
        <figure key={which}>
          <div
            className={classes.stage}
            data-zoom={zoom}
            role="region"
            aria-label={title}
            tabIndex={0}
            ref={(frame) => void (frames.current[index] = frame)}
            onScroll={follow(index)}
          >
            {src === undefined ? (
              <Text c="dimmed">{t("image.none")}</Text>
            ) : (
              <img
                src={src}
                alt={title}
                onLoad={measured(which)}
                onError={which === "then" ? onFailed : undefined}
                draggable={false}
                style={zoom === "fit" ? undefined : drawn(sizes[which], zoom)}
              />
            )}
          </div>
          <figcaption>
            <Text size="xs" c="dimmed">
              <Told title={title} size={sizes[which]} />
            </Text>
          </figcaption>
        </figure>
      ))}
    </div>
  );
}

function Told({ title, size }: { title: string; size: Size | undefined }) {
  return (
    <>
      {title}
      {size && `: ${size.width} × ${size.height} · ${ratio(size.width, size.height)}`}
    </>
  );
}
