import { Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { answered, api } from "../api/client";
import { Gone } from "./Gone";
import { SubjectPage } from "./SubjectPage";

export function AlbumPage() {
  const { id = "" } = useParams();
  const album = useQuery({
    queryKey: ["album", id],
    queryFn: async ({ signal }) => {
      const params = { path: { id } };
      const [{ name, artistName, mbzReleaseGroupId }, { cover }] = await Promise.all([
        answered(api.GET("/api/albums/{id}", { params, signal })),
        answered(api.GET("/api/images/albums/{id}/cover/metadata", { params, signal })),
      ]);
      return { name, detail: artistName, images: cover.exists ? { cover } : {}, ...(mbzReleaseGroupId && { mbid: mbzReleaseGroupId }) };
    },
  });
  if (album.error) {
    return <Gone kind="album" error={album.error} retry={() => void album.refetch()} />;
  }
  return album.data ? <SubjectPage kind="album" id={id} {...album.data} /> : <Loader m="xl" />;
}
