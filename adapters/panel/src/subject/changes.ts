import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { answered, api, type Candidate, type Schemas, type Slot } from "../api/client";
import type { SubjectKind } from "../artwork/url";
import type { Point } from "./geometry";
import { advance, followed, type Progress } from "./phases";

/** What a change is of. */
export interface Place {
  kind: SubjectKind;
  id: string;
  slot: Slot;
}

/** A change that the server has confirmed: every instance shows it. */
export interface Confirmed {
  visibleAfterMs?: number;
}

type Subject = Pick<Place, "kind" | "id">;

export function forget(queries: QueryClient, { kind, id }: Subject): Promise<unknown> {
  return Promise.all([queries.invalidateQueries({ queryKey: [kind, id] }), queries.invalidateQueries({ queryKey: ["library", kind] })]);
}

/** A mutation after which what is shown of the subject is read again. */
function useChange<In>(subject: Subject, run: (input: In) => Promise<Confirmed>) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: run, onSettled: () => forget(queries, subject) });
}

const ofSubject = ({ kind, id }: Subject) => ({ path: { subject: kind, id } });

/** Puts an image in force that the server downloads, and says how far that is. There is no such thing for avatars. */
export function useApply(place: Place) {
  const [progress, setProgress] = useState<Progress>();
  const change = useChange(place, (image: Pick<Candidate, "url" | "provider">) => {
    setProgress(undefined);
    return followed(apply(place, image), (phase) => setProgress((before) => advance(before, phase)));
  });
  return { ...change, progress };
}

/** What a change is answered with that could be told as a stream, and is not asked to be. */
const confirmed = async (call: Parameters<typeof answered>[0]): Promise<Confirmed> => (await answered(call)) as Confirmed;

const asStream = { headers: { Accept: "text/event-stream" }, parseAs: "stream" } as const;

function apply({ kind, id, slot }: Place, { url, provider }: Pick<Candidate, "url" | "provider">) {
  return kind === "artist"
    ? api.POST("/api/admin/metadata/artist/avatars/apply", {
        ...asStream,
        body: { artistId: id, avatarUrl: url, provider, type: slot as Schemas["ArtistSlot"] },
      })
    : api.POST("/api/admin/metadata/album/covers/apply", { ...asStream, body: { albumId: id, coverUrl: url, provider } });
}

export function useRestore(place: Place) {
  return useChange(place, (imageId: string) =>
    confirmed(api.POST("/api/admin/metadata/{subject}/{id}/restore", { params: ofSubject(place), body: { type: place.slot, imageId } })),
  );
}

/** Puts an upload in force that never was. */
export function useApplyUploaded(place: Place) {
  return useChange(place, (imageId: string) => applyUploaded(place, imageId));
}

export function applyUploaded({ kind, id }: Subject, imageId: string): Promise<Confirmed> {
  const params = { path: { id, imageId } };
  return kind === "artist"
    ? confirmed(api.POST("/api/admin/metadata/artist/custom-images/{id}/apply/{imageId}", { params }))
    : confirmed(api.POST("/api/admin/metadata/album/custom-covers/{id}/apply/{imageId}", { params }));
}

export function useRemove(place: Place) {
  return useChange(place, (keepEmpty: boolean) =>
    answered(
      api.DELETE("/api/admin/metadata/{subject}/{id}/images/{type}", {
        params: { path: { subject: place.kind, id: place.id, type: place.slot }, query: { keepEmpty } },
      }),
    ),
  );
}

export function useLock(place: Place) {
  return useChange(place, (locked: boolean) =>
    answered(api.PUT("/api/admin/metadata/{subject}/{id}/lock", { params: ofSubject(place), body: { type: place.slot, locked } })),
  );
}

export function useFocus(place: Place) {
  return useChange(place, ({ x, y }: Point) =>
    answered(api.PUT("/api/admin/metadata/{subject}/{id}/focal-point", { params: ofSubject(place), body: { type: place.slot, x, y } })),
  );
}

/** Says how pages are to place the background of an artist. The image stays as it is. */
export function usePlacement(artist: Subject) {
  return useChange(artist, async (backgroundPosition: string) => {
    await answered(api.PATCH("/api/admin/metadata/artist/background-position", { body: { artistId: artist.id, backgroundPosition } }));
    return {};
  });
}

/** Forgets one image for good. */
export function usePurge(place: Place) {
  return useChange(place, (imageId: string) =>
    answered(
      api.DELETE("/api/admin/metadata/{subject}/{id}/images/{type}/history/{imageId}", {
        params: { path: { subject: place.kind, id: place.id, type: place.slot, imageId } },
      }),
    ),
  );
}

/** Forgets every image of a subject for good. */
export function usePurgeAll(subject: Subject) {
  return useChange(subject, () => answered(api.DELETE("/api/admin/metadata/{subject}/{id}/history", { params: ofSubject(subject) })));
}

/** The MusicBrainz identifier of an artist, or the release group of an album; undefined takes it away. */
export function useIdentify({ kind, id }: Subject) {
  return useChange({ kind, id }, async (mbid: string | undefined) => {
    await (kind === "artist" ? identifyArtist(id, mbid) : identifyAlbum(id, mbid));
    return {};
  });
}

async function identifyArtist(id: string, mbid: string | undefined): Promise<unknown> {
  const params = { path: { id } };
  const { name, sortName } = await answered(api.GET("/api/artists/{id}", { params }));
  const fields = { name, ...(sortName !== undefined && { sortName }), ...(mbid !== undefined && { mbzArtistId: mbid }) };
  return answered(api.PUT("/api/artists/{id}", { params, body: fields }));
}

async function identifyAlbum(id: string, mbid: string | undefined): Promise<unknown> {
  const params = { path: { id } };
  const { name, artistId, year, mbzAlbumId } = await answered(api.GET("/api/albums/{id}", { params }));
  const kept = { ...(year !== undefined && { year }), ...(mbzAlbumId !== undefined && { mbzAlbumId }) };
  return answered(api.PUT("/api/albums/{id}", { params, body: { name, artistId, ...kept, ...(mbid !== undefined && { mbzReleaseGroupId: mbid }) } }));
}
