import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";

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
import { SessionProvider } from "./session/session";
import { theme, variables } from "./theme";

startTranslating();

const queries = new QueryClient({
  defaultOptions: {
    queries: {
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
        { index: true, lazy: async () => ({ Component: (await import("./library/ArtistsPage")).ArtistsPage }) },
        { path: "albums", lazy: async () => ({ Component: (await import("./library/AlbumsPage")).AlbumsPage }) },
        { path: "artists/:id", lazy: async () => ({ Component: (await import("./subject/ArtistPage")).ArtistPage }) },
        { path: "albums/:id", lazy: async () => ({ Component: (await import("./subject/AlbumPage")).AlbumPage }) },
        { path: "cache", lazy: async () => ({ Component: (await import("./cache/CachePage")).CachePage }) },
        { path: "*", element: <Broken missing /> },
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
            <RouterProvider router={router} />
          </SessionProvider>
        </MantineProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
}
