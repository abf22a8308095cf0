// In a layer: the panel's own styles stand above them, in whatever order they load.
import "@mantine/core/styles.layer.css";
import "@mantine/notifications/styles.layer.css";

import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { setNonce } from "get-nonce";
import { createRoot } from "react-dom/client";
import { createBrowserRouter, RouterProvider } from "react-router";

import { ApiError } from "./api/client";
import { Broken } from "./app/Broken";
import { Shell } from "./app/Shell";
import { startTranslating } from "./i18n";
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
            { index: true, lazy: async () => ({ Component: (await import("./library/ArtistsPage")).ArtistsPage }) },
            { path: "albums", lazy: async () => ({ Component: (await import("./library/AlbumsPage")).AlbumsPage }) },
            { path: "artists/:id", lazy: async () => ({ Component: (await import("./subject/ArtistPage")).ArtistPage }) },
            { path: "albums/:id", lazy: async () => ({ Component: (await import("./subject/AlbumPage")).AlbumPage }) },
            { path: "users/:id", lazy: async () => ({ Component: (await import("./subject/UserPage")).UserPage }) },
            { path: "fill", lazy: async () => ({ Component: (await import("./fill/FillsPage")).FillsPage }) },
            { path: "fill/:jobId", lazy: async () => ({ Component: (await import("./fill/FillPage")).FillPage }) },
            { path: "bulk", lazy: async () => ({ Component: (await import("./bulk/BulksPage")).BulksPage }) },
            { path: "bulk/:jobId", lazy: async () => ({ Component: (await import("./bulk/BulkPage")).BulkPage }) },
            { path: "cache", lazy: async () => ({ Component: (await import("./cache/CachePage")).CachePage }) },
            { path: "activity", lazy: async () => ({ Component: (await import("./activity/ActivityPage")).ActivityPage }) },
            { path: "health", lazy: async () => ({ Component: (await import("./health/HealthPage")).HealthPage }) },
            { path: "settings", lazy: async () => ({ Component: (await import("./settings/SettingsPage")).SettingsPage }) },
            { path: "users", lazy: async () => ({ Component: (await import("./users/UsersPage")).UsersPage }) },
            { path: "signed-in", lazy: async () => ({ Component: (await import("./session/SignedInPage")).SignedInPage }) },
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
          <Notifications position="bottom-right" />
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
