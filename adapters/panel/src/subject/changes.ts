import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";

import { answered, api, type Candidate, type Slot } from "../api/client";
import type { Kind } from "../artwork/url";

/** What a change is of. */
export interface Place {
  kind: Kind;
  id: string;
  slot: Slot;
}

/** A change that the server has confirmed: every instance shows it. */
export interface Confirmed {
  visibleAfterMs?: number;
}

function forget(queries: QueryClient, { kind, id }: Place): Promise<unknown> {
  return Promise.all([queries.invalidateQueries({ queryKey: [kind, id] }), queries.invalidateQueries({ queryKey: ["library", kind] })]);
}

/** A mutation after which what is shown of the subject is read again. */
function useChange<In>(place: Place, run: (input: In) => Promise<Confirmed>) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: run, onSettled: () => forget(queries, place) });
}

export function useApply(place: Place) {
  return useChange(place, ({ url, provider }: Pick<Candidate, "url" | "provider">) =>
    place.kind === "artist"
      ? answered(
          api.POST("/api/admin/metadata/artist/avatars/apply", {
            body: { artistId: place.id, avatarUrl: url, provider, type: place.slot as never },
          }),
        )
      : answered(api.POST("/api/admin/metadata/album/covers/apply", { body: { albumId: place.id, coverUrl: url, provider } })),
  );
}

export function useRestore(place: Place) {
  return useChange(place, (imageId: string) =>
    answered(
      api.POST("/api/admin/metadata/{subject}/{id}/restore", {
        params: { path: { subject: place.kind, id: place.id } },
        body: { type: place.slot, imageId },
      }),
    ),
  );
}

export function useRemove(place: Place) {
  return useChange(place, () =>
    answered(
      api.DELETE("/api/admin/metadata/{subject}/{id}/images/{type}", {
        params: { path: { subject: place.kind, id: place.id, type: place.slot } },
      }),
    ),
  );
}

export function useLock(place: Place) {
  return useChange(place, (locked: boolean) =>
    answered(
      api.PUT("/api/admin/metadata/{subject}/{id}/lock", {
        params: { path: { subject: place.kind, id: place.id } },
        body: { type: place.slot, locked },
      }),
    ),
  );
}

/** Uploads a file and puts it in force. */
export function useUpload(place: Place) {
  return useChange(place, async (file: File) => {
    const imageId = place.kind === "artist" ? await keepArtistImage(place, file) : await keepAlbumCover(place, file);
    return place.kind === "artist"
      ? answered(api.POST("/api/admin/metadata/artist/custom-images/{id}/apply/{imageId}", { params: { path: { id: place.id, imageId } } }))
      : answered(api.POST("/api/admin/metadata/album/custom-covers/{id}/apply/{imageId}", { params: { path: { id: place.id, imageId } } }));
  });
}

function form(fields: Record<string, string | File>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    data.append(name, value);
  }
  return data;
}

async function keepArtistImage({ id, slot }: Place, file: File): Promise<string> {
  const kept = await answered(
    api.POST("/api/admin/metadata/artist/custom-images/{id}/upload", {
      params: { path: { id } },
      body: { imageType: slot as never, file: "" },
      bodySerializer: () => form({ imageType: slot, file }), // fields before the file
    }),
  );
  return kept.customImageId;
}

async function keepAlbumCover({ id }: Place, file: File): Promise<string> {
  const kept = await answered(
    api.POST("/api/admin/metadata/album/custom-covers/{id}/upload", {
      params: { path: { id } },
      body: { file: "" },
      bodySerializer: () => form({ file }),
    }),
  );
  return kept.customCoverId;
}
