import { LibraryPage } from "./LibraryPage";

export function AlbumsPage() {
  return <LibraryPage key="album" kind="album" />;
}
