// In a layer: the panel's own styles stand above them, in whatever order they load.
import "@mantine/core/styles.layer.css";
import "@mantine/notifications/styles.layer.css";

import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ComponentType, StrictMode } from "react";
import { setNonce } from "get-nonce";
import { createRoot } from "react-dom/client";
import { createBrowserRouter, RouterProvider } from "react-router";

import { ApiError } from "./api/client";
import "./app/motion.css";
import { Broken } from "./app/Broken";
import { Notices } from "./app/Notices";
import { Shell } from "./app/Shell";
import { type Pages, prepare, startTranslating } from "./i18n";
import { LiveProvider } from "./live/live";
import { SessionProvider } from "./session/session";
import { theme, variables } from "./theme";

await startTranslating();

const queries = new QueryClient({
  defaultOptions: {
    mutations: { networkMode: "always" },
    queries: {
      // The server may be in this house: that the internet is away says nothing of it.
      networkMode: "always",
      staleTime: 30_000,
      // What was refused once is refused again; only a server out of reach may come back.
      retry: (failures, error) => failures < 3 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
    },
  },
});

/** A page, which is fetched with its texts when somebody goes there. */
const page = (pages: Pages, load: () => Promise<ComponentType>) => ({
  lazy: async () => {
    const [Component] = await Promise.all([load(), prepare(pages)]);
    return { Component };
  },
});

const router = createBrowserRouter(
  [
    {
      path: "/",
      element: <Shell />,
      errorElement: <Broken />,
      children: [
        {
          // What cannot be shown leaves what is around it in place.
          errorElement: <Broken />,
          children: [
            { index: true, ...page("library", async () => (await import("./library/ArtistsPage")).ArtistsPage) },
            { path: "albums", ...page("library", async () => (await import("./library/AlbumsPage")).AlbumsPage) },
            { path: "artists/:id", ...page("subject", async () => (await import("./subject/ArtistPage")).ArtistPage) },
            { path: "albums/:id", ...page("subject", async () => (await import("./subject/AlbumPage")).AlbumPage) },
            { path: "users/:id", ...page("subject", async () => (await import("./subject/UserPage")).UserPage) },
            { path: "deleted", ...page("deleted", async () => (await import("./deleted/DeletedPage")).DeletedPage) },
            { path: "fill", ...page("fill", async () => (await import("./fill/FillsPage")).FillsPage) },
            { path: "fill/:jobId", ...page("fill", async () => (await import("./fill/FillPage")).FillPage) },
            { path: "bulk", ...page("bulk", async () => (await import("./bulk/BulksPage")).BulksPage) },
            { path: "bulk/:jobId", ...page("bulk", async () => (await import("./bulk/BulkPage")).BulkPage) },
            { path: "cache", ...page("cache", async () => (await import("./cache/CachePage")).CachePage) },
            { path: "activity", ...page("activity", async () => (await import("./activity/ActivityPage")).ActivityPage) },
            { path: "health", ...page("health", async () => (await import("./health/HealthPage")).HealthPage) },
            { path: "settings", ...page("settings", async () => (await import("./settings/SettingsPage")).SettingsPage) },
            { path: "users", ...page("users", async () => (await import("./users/UsersPage")).UsersPage) },
            { path: "signed-in", ...page("session", async () => (await import("./session/SignedInPage")).SignedInPage) },
            { path: "*", element: <Broken missing /> },
          ],
        },
      ],
    },
  ],
  { basename: "/admin" },
);

/** Styles are only taken with the nonce that the server put into the page. */
const styleNonce = () => document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";

setNonce(styleNonce()); // for what keeps a page still behind a dialog

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" getStyleNonce={styleNonce}>
          <Notices />
          <SessionProvider>
            <LiveProvider>
              <RouterProvider router={router} />
            </LiveProvider>
          </SessionProvider>
        </MantineProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
}
