import { Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";

import { ApiError, answered, api, type ImageInfo } from "../api/client";
import { Refusal } from "../app/Refusal";
import { useSession } from "../session/session";
import { Gone } from "./Gone";
import { type Explanation, readWhy } from "./queries";
import { SubjectPage } from "./SubjectPage";

/** A user and their avatar. Who may read sees it; it is changed by its user and by administrators. */
export function UserPage() {
  const { id = "" } = useParams();
  const { t } = useTranslation();
  const { may, askToSignIn } = useSession();
  const user = useQuery({
    queryKey: ["user", id],
    queryFn: async ({ signal }) => {
      const params = { path: { id } };
      const [about, why] = await Promise.all([
        answered(api.GET("/api/users/{id}", { params, signal })),
        readWhy({ kind: "user", id, slot: "avatar" }, signal),
      ]);
      const image = imageOf(why);
      return { name: about.displayName ?? about.username, detail: about.username, images: image ? { avatar: image } : {} };
    },
    enabled: may("read"),
  });
  if (!may("read")) {
    return <Refusal error={new ApiError(401, "", t("subject.signIn"))} retry={askToSignIn} />;
  }
  if (user.error) {
    return <Gone kind="user" error={user.error} retry={() => void user.refetch()} />;
  }
  return user.data ? <SubjectPage kind="user" id={id} {...user.data} /> : <Loader m="xl" />;
}

/** There is no list of the images of one user: what explains the avatar says it all but its placeholder. */
function imageOf({ inForce, locked }: Explanation): ImageInfo | undefined {
  return (
    inForce && {
      ...inForce,
      exists: true,
      lastModified: inForce.appliedAt ?? inForce.addedAt,
      thumbhash: "",
      locked,
    }
  );
}
