import { Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";

import { answered, api } from "../api/client";
import { Gone } from "./Gone";
import { SubjectPage } from "./SubjectPage";

export function ArtistPage() {
  const { id = "" } = useParams();
  const artist = useQuery({
    queryKey: ["artist", id],
    queryFn: async ({ signal }) => {
      const params = { path: { id } };
      const [{ name, backgroundPosition, mbzArtistId }, { images }] = await Promise.all([
        answered(api.GET("/api/artists/{id}", { params, signal })),
        answered(api.GET("/api/images/artists/{id}/all", { params, signal })),
      ]);
      return { name, images, ...(backgroundPosition !== undefined && { backgroundPosition }), ...(mbzArtistId && { mbid: mbzArtistId }) };
    },
  });
  if (artist.error) {
    return <Gone kind="artist" error={artist.error} retry={() => void artist.refetch()} />;
  }
  return artist.data ? <SubjectPage kind="artist" id={id} {...artist.data} /> : <Loader m="xl" />;
}
