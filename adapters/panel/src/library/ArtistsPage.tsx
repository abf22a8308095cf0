import { LibraryPage } from "./LibraryPage";

export function ArtistsPage() {
  return <LibraryPage key="artist" kind="artist" />;
}
