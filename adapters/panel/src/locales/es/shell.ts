import type { role as enRole, shell as enShell } from "../en/shell";

export const shell: typeof enShell = {
  home: "Gatefold, a la biblioteca",
  menu: "Menú",
  pages: "Páginas",
  crumbs: "Dónde está",
  account: "Cuenta de {{name}}",
  loading: "Cargando…",
  copied: "Copiado",
  group: { library: "Biblioteca", work: "Trabajo", service: "Servicio" },
  page: {
    artists: "Artistas",
    albums: "Álbumes",
    deleted: "Eliminados",
    fill: "Completar",
    bulk: "Cambios en lote",
    cache: "Caché",
    activity: "Actividad",
    health: "Estado",
    settings: "Ajustes",
    users: "Usuarios y tokens",
  },
};

export const role: typeof enRole = { read: "lector", write: "editor", admin: "administrador" };
