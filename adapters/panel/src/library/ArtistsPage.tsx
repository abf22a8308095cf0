import { answered, api } from "../api/client";
import { type Filter, LibraryPage, type Page } from "./LibraryPage";
import { pageSize } from "./pages";

async function load(filter: Filter, page: number, signal: AbortSignal): Promise<Page> {
  const found = await answered(api.GET("/api/artists", { params: { query: { ...filter, page, pageSize } as never }, signal }));
  return { total: found.total, entries: found.items.map((artist) => ({ id: artist.id, name: artist.name })) };
}

export function ArtistsPage() {
  return <LibraryPage kind="artist" load={load} />;
}
