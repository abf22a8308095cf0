import { answered, api } from "../api/client";
import { type Filter, LibraryPage, type Page } from "./LibraryPage";
import { pageSize } from "./pages";

async function load(filter: Filter, page: number, signal: AbortSignal): Promise<Page> {
  const found = await answered(api.GET("/api/albums", { params: { query: { ...filter, page, pageSize } as never }, signal }));
  return { total: found.total, entries: found.items.map((album) => ({ id: album.id, name: album.name, detail: album.artistName })) };
}

export function AlbumsPage() {
  return <LibraryPage kind="album" load={load} />;
}
