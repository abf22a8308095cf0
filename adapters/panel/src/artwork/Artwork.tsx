import { useState } from "react";

import type { Slot } from "../api/client";
import classes from "./Artwork.module.css";
import { imageUrl, type Size, type SubjectKind } from "./url";

interface Props {
  kind: SubjectKind;
  id: string;
  slot: Slot;
  alt: string;
  tag?: string;
  size?: Size;
  width: number;
  height: number;
}

/** An image in force, in a frame of a fixed size; a note of music where there is none. */
export function Artwork({ kind, id, slot, alt, tag, size, width, height }: Props) {
  const src = imageUrl(kind, id, slot, { ...(size && { size }), ...(tag !== undefined && { tag }) });
  const [failed, setFailed] = useState<string>();
  return (
    <span className={classes.frame} style={{ width, height }}>
      {failed === src ? (
        <span className={classes.none} role="img" aria-label={alt}>
          ♪
        </span>
      ) : (
        <img
          className={classes.image}
          src={src}
          alt={alt}
          loading="lazy"
          decoding="async"
          width={width}
          height={height}
          onError={() => setFailed(src)}
        />
      )}
    </span>
  );
}
