import { Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { answered, api } from "../api/client";
import { Refusal } from "../app/Refusal";
import { SubjectPage } from "./SubjectPage";

export function AlbumPage() {
  const { id = "" } = useParams();
  const album = useQuery({
    queryKey: ["album", id],
    queryFn: async ({ signal }) => {
      const params = { path: { id } };
      const [about, image] = await Promise.all([
        answered(api.GET("/api/albums/{id}", { params, signal })),
        answered(api.GET("/api/images/albums/{id}/cover/metadata", { params, signal })),
      ]);
      return { name: about.name, detail: about.artistName, images: image.cover.exists ? { cover: image.cover } : {} };
    },
  });
  if (album.error) {
    return <Refusal error={album.error} retry={() => void album.refetch()} />;
  }
  return album.data ? <SubjectPage kind="album" id={id} {...album.data} /> : <Loader m="xl" />;
}
