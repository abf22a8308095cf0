import type { health as en } from "../en/health";

export const health: typeof en = {
  title: "Estado",
  lead: "De qué depende Gatefold, tal como lo ve esta instancia. Lo comprueba cada dos segundos.",
  state: "Estado del servicio",
  more: "Qué hacer",
  version: "Versión",
  uptime: "En marcha desde hace",
  since: "Así desde",
  latency: "Última comprobación",
  needed: "Sin ella no se pueden servir imágenes.",
  do: "Qué hacer",
  overall: {
    ok: "Todo funciona",
    degraded: "Se sirven imágenes, pero algo más no funciona",
    error: "No se pueden servir imágenes",
    unreachable: "No se puede contactar con el servidor; esto es lo último que dijo",
  },
  partState: { connected: "Funciona", error: "Falla", disabled: "No se usa", unknown: "Sin comprobar" },
  part: {
    database: {
      name: "Base de datos",
      what: "Guarda el catálogo, qué imagen está en vigor, los usuarios y el registro de actividad.",
      do: "Compruebe que el servidor de DATABASE_URL está en marcha y acepta conexiones o, con SQLite, que el disco de DATA_DIR no está lleno ni es de solo lectura. Gatefold continúa solo en cuanto responda.",
    },
    redis: {
      name: "Redis",
      what: "Permite que todas las instancias respondan desde una misma caché y les avisa de los cambios.",
      do: "Compruebe que el servidor de REDIS_URL está en marcha y le queda memoria. Hasta que vuelva, las imágenes salen de la base de datos y los cambios se rechazan para que ninguna instancia muestre una imagen antigua. No hay que reiniciar nada.",
    },
    storage: {
      name: "Almacenamiento",
      what: "Guarda los bytes de las imágenes, en un disco o en un bucket.",
      do: "Compruebe que el disco o el bucket existe, admite escritura y tiene espacio. `gatefold doctor` dice qué falta.",
    },
    providerKeys: {
      name: "Claves de los proveedores",
      what: "Están selladas en la base de datos con el secreto de este despliegue.",
      do: "El secreto no es el mismo que cuando se introdujeron las claves. Ponga el anterior en AUTH_SECRET_PREVIOUS o vuelva a introducir las claves en los ajustes.",
    },
  },
  trouble: {
    server: { title: "El servidor no responde.", text: "Lo que ve puede ser antiguo y no se pueden hacer cambios. Reintentando…" },
    images: { title: "No se pueden servir imágenes.", text: "La base de datos o el almacenamiento no responde." },
    redis: { title: "Redis no responde.", text: "Las imágenes se sirven; los cambios se rechazan hasta que vuelva." },
    keys: { title: "Hay claves de proveedores que no se pueden abrir.", text: "A esos proveedores no se les pregunta." },
  },
  instances: "Instancias",
  alone: "Esta es la única instancia: no hay un Redis que otras puedan compartir.",
  instance: {
    name: "Nombre",
    state: "Estado",
    redis: "Tiene Redis",
    settings: "Ajustes de la caché",
    alive: "En marcha",
    gone: "Sin noticias recientes",
    yes: "Sí",
    no: "No",
    behind: "Los seguirá en breve",
    current: "Al día",
  },
};
