import type { APIRequestContext, Locator, Page } from "@playwright/test";

import { picture } from "./api";
import { accessible, fits, phone } from "./axe";
import { expect, test, visit } from "./gatefold";

// One provider is out of reach, in all of these tests: it spoils none of them.
test.use({ wanted: { settings: { DISCOGS_URL: "http://127.0.0.1:9" } } });

/** Goes to a subject by its name, as somebody who has signed in, and returns its id. */
async function open(page: Page, kind: "artists" | "albums", name: string): Promise<string> {
  await visit(page, `/admin/${kind === "artists" ? "" : "albums"}?query=${encodeURIComponent(name)}`);
  await page.getByRole("link", { name: new RegExp(name) }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  await expect(page.getByText("Why this one?")).toBeVisible();
  return /(?:artists|albums)\/([0-9a-f-]+)/.exec(page.url())?.[1] ?? "";
}

/** What the API says of the image in force. */
async function imageOf(request: APIRequestContext, id: string, slot: "cover" | "profile") {
  type Info = { tag: string; width: number; height: number; mimeType: string; size: number; focalPoint?: { x: number; y: number } };
  if (slot === "cover") {
    return ((await (await request.get(`/api/images/albums/${id}/cover/metadata`)).json()) as { cover: Info }).cover;
  }
  return ((await (await request.get(`/api/images/artists/${id}/all`)).json()) as { images: Record<string, Info> }).images[slot] as Info;
}

async function upload(page: Page, ...files: { name: string; buffer: Buffer }[]): Promise<Locator> {
  await page.getByRole("button", { name: "Upload" }).click();
  const dialog = page.getByRole("dialog");
  const chosen = page.waitForEvent("filechooser");
  await dialog.getByRole("button", { name: "Choose files" }).click();
  await (await chosen).setFiles(files.map((file) => ({ ...file, mimeType: "image/jpeg" })));
  return dialog;
}

/**
 * Has the next stream of an apply arrive event by event: each is held back until the
 * returned function is called, which returns what it says.
 */
async function heldApply(page: Page): Promise<() => Promise<string>> {
  await page.evaluate(() => {
    const held: { text: string; pass: () => void }[] = [];
    const real = window.fetch;
    window.fetch = async (...request) => {
      const answer = await real(...request);
      if (!answer.url.endsWith("/apply") || !answer.body) {
        return answer;
      }
      window.fetch = real;
      const bytes = new Uint8Array(await answer.arrayBuffer());
      const events = new TextDecoder().decode(bytes).split(/(?<=\n\n)/);
      const body = new ReadableStream<Uint8Array>({
        async start(out) {
          for (const text of events) {
            await new Promise<void>((pass) => held.push({ text, pass }));
            out.enqueue(new TextEncoder().encode(text));
          }
          out.close();
        },
      });
      return new Response(body, { status: answer.status, headers: answer.headers });
    };
    Object.assign(window, { held });
  });
  return async () => {
    const first = await page.waitForFunction(() => {
      const { held } = window as unknown as { held: { text: string; pass: () => void }[] };
      const next = held.shift();
      next?.pass();
      return next?.text;
    });
    return (await first.jsonValue()) ?? "";
  };
}

const visible = /Visible on all instances after \d+ ms/;

test("find, compare, apply, undo; the provider that is down is named", async ({ page, request }) => {
  const id = await open(page, "albums", "Sal y ceniza");
  const before = (await imageOf(request, id, "cover")).tag;
  await page.getByRole("button", { name: "Find images" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("list", { name: "Providers" }).getByText("searching…").first()).toBeVisible();
  await expect(dialog.getByRole("list", { name: "Providers" }).getByText("searching…")).toHaveCount(0);
  await expect(dialog.getByRole("list", { name: "Providers" })).toContainText("Discogsfailed");
  await expect(dialog.getByRole("alert").filter({ hasText: "Discogs" })).toBeVisible();
  await expect(dialog.getByRole("status")).toContainText(/\d+ images?/);
  const shown = dialog.getByRole("figure").getByRole("img");
  await expect(shown.first()).toHaveAttribute("src", /^\/api\/admin\/metadata\/candidates\/image\?/);
  await expect.poll(() => shown.first().evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  await accessible(page);

  const all = await dialog.getByRole("figure").count();
  await dialog.getByLabel("Size at least").selectOption("1000");
  await expect(dialog.getByText(`of ${all}`)).toBeVisible();
  await dialog.getByLabel("Size at least").selectOption("0");
  await expect(dialog.getByRole("figure")).toHaveCount(all);

  await dialog.getByRole("button", { name: "Compare", exact: true }).first().click();
  await expect(dialog.getByText(/Candidate: \d+ × \d+/)).toBeVisible();
  const line = dialog.getByRole("slider", { name: "Line between both pictures" });
  await line.focus();
  await page.keyboard.press("Home");
  await expect(line).toHaveAttribute("aria-valuenow", "0");
  await accessible(page);
  await dialog.getByText("Side by side").click();
  const pass = await heldApply(page);
  await dialog.getByRole("button", { name: "Apply" }).click();
  const stages = dialog.getByRole("list", { name: "How far it is" });
  const said = dialog.locator("[aria-live=polite]");
  for (const [phase, stage, sentence] of [
    ["downloading", "Downloading", "The server is downloading the image."],
    ["checking", "Checking", "The server is checking and storing the image."],
    ["fencing", "Making it visible everywhere", "The image is being made visible on all instances."],
  ] as const) {
    for (let event = await pass(); !event.includes(phase); event = await pass()) {
      expect(event, "what comes before").toMatch(/^event: phase/);
    }
    await expect(stages.locator("[aria-current=step]")).toContainText(stage);
    await expect(said).toHaveText(sentence);
  }
  await expect(stages).toContainText(/Downloading\d+ kB of \d+ kB/);
  await accessible(page);
  while (!(await pass()).startsWith("event: complete"));
  await expect(page.getByText(visible)).toBeVisible();
  const applied = (await imageOf(request, id, "cover")).tag;
  expect(applied).not.toBe(before);
  await expect(page.getByRole("region", { name: "Cover" }).getByRole("img")).toHaveAttribute("src", new RegExp(applied));
  await expect(page.getByText("A person chose it.")).toBeVisible();

  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("The image before it is in force again.")).toBeVisible();
  expect((await imageOf(request, id, "cover")).tag).toBe(before);
});

test("upload: of two one is cropped by keyboard and put in force, the other is kept, and used later", async ({ page, request }) => {
  const id = await open(page, "albums", "Lichen Radio");
  const wide = await picture(page, 800, 400);
  const square = await picture(page, 300, 300);
  const dialog = await upload(page, { name: "wide.jpg", buffer: wide }, { name: "square.jpg", buffer: square });
  await expect(dialog.getByText(/It has another shape than “Cover”/)).toBeVisible();
  await accessible(page);
  await dialog.getByRole("button", { name: "Crop" }).first().click();
  await expect(dialog.getByRole("status")).toHaveText("400 × 400");
  await dialog.getByRole("group", { name: /Part that is kept/ }).focus();
  await page.keyboard.press("ArrowRight");
  await accessible(page);
  await dialog.getByRole("button", { name: "Crop", exact: true }).click();
  await expect(dialog.getByText(/400 × 400 .* cropped/)).toBeVisible();
  await dialog.getByRole("button", { name: "Upload 2 images" }).click();
  await expect(page.getByText(visible)).toBeVisible();
  await expect(dialog).toBeHidden();
  expect(await imageOf(request, id, "cover")).toMatchObject({ width: 400, height: 400, mimeType: "image/jpeg" });
  await expect(page.getByText("400 × 400", { exact: false }).first()).toBeVisible();

  const others = page.getByRole("region", { name: "Other images" });
  await expect(others).toContainText("square.jpg");
  await others.getByRole("button", { name: "Use this one" }).click();
  await expect.poll(async () => (await imageOf(request, id, "cover")).width).toBe(300);
  expect((await imageOf(request, id, "cover")).size, "as it is, byte for byte").toBe(square.length);
});

test("what is refused says by which rule and what to do, and changes nothing", async ({ page, request }) => {
  const id = await open(page, "albums", "Halbe Farben");
  const before = (await imageOf(request, id, "cover")).tag;
  const cut = (await picture(page, 200, 200)).subarray(0, 900);
  const dialog = await upload(page, { name: "page.jpg", buffer: Buffer.from("<html>no image</html>") }, { name: "cut.jpg", buffer: cut });
  await expect(dialog.getByRole("alert")).toContainText("This is no image that can be used");
  await dialog.getByRole("button", { name: "Upload", exact: true }).click();
  const damaged = dialog.getByRole("alert").filter({ hasText: "The image is damaged" });
  await expect(damaged).toContainText("Save or download it again");
  await expect(damaged).toContainText("Request ");
  await accessible(page);
  await dialog.getByLabel("Or from an address").fill("http://169.254.169.254/cover.jpg");
  await dialog.getByRole("button", { name: "Apply" }).click();
  await expect(dialog.getByRole("alert").filter({ hasText: "does not download from this address" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("region", { name: "Cover" }).getByRole("img")).toHaveAttribute("src", new RegExp(before));
  expect((await imageOf(request, id, "cover")).tag).toBe(before);
});

test("the focal point is set by keys and by hand, squares follow it, and it is taken back", async ({ page, request }) => {
  const id = await open(page, "artists", "Marea Ámbar");
  const dialog = await upload(page, { name: "wide.jpg", buffer: await picture(page, 900, 300) });
  await dialog.getByRole("button", { name: "Upload", exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect.poll(async () => (await imageOf(request, id, "profile")).width).toBe(900);
  const middle = (await imageOf(request, id, "profile")).tag;
  await expect(page.getByRole("region", { name: "Profile" }).getByRole("img")).toHaveAttribute("src", new RegExp(middle));

  await page.getByRole("button", { name: "Focal point" }).click();
  const marker = page.getByRole("slider", { name: "Focal point" });
  await marker.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowUp");
  await expect(marker).toHaveAttribute("aria-valuetext", "51 % from the left, 40 % from the top");
  await accessible(page);
  const box = (await page.getByTestId("focal-frame").boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  await marker.hover();
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, box.y + box.height * 0.5, { steps: 4 });
  await page.mouse.up();
  await expect(marker).toHaveAttribute("aria-valuetext", "90 % from the left, 50 % from the top");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Squares are cut around the new focal point.")).toBeVisible();
  const moved = await imageOf(request, id, "profile");
  expect(moved.focalPoint?.x).toBeCloseTo(0.9, 1);
  expect(moved.tag).not.toBe(middle);
  await expect(page.getByRole("region", { name: "As it is served" }).getByText("200 × 200")).toBeVisible();

  await page.getByRole("button", { name: "Undo" }).last().click();
  await expect(page.getByText("The image before it is in force again.")).toBeVisible();
  expect((await imageOf(request, id, "profile")).tag).toBe(middle);
});

test("the background is placed by dragging, and put back; the page fits on a phone", async ({ page, request }) => {
  const id = await open(page, "artists", "Velvet Kilowatt");
  const position = async () => ((await (await request.get(`/api/artists/${id}`)).json()) as { backgroundPosition?: string }).backgroundPosition;
  await accessible(page);
  await page.getByRole("button", { name: /^Background/ }).click();
  await page.getByRole("button", { name: "Position", exact: true }).click();
  const frame = page.getByRole("slider", { name: "Position of the background" });
  const box = (await frame.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  await page.mouse.move(box.x + 100, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + 100, box.y + 50 + box.height, { steps: 4 });
  await page.mouse.up();
  await expect(frame).toHaveAttribute("aria-valuetext", "center 0%");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByLabel("As CSS")).toHaveValue("center 1%");
  await accessible(page);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("The position is kept")).toBeVisible();
  expect(await position()).toBe("center 1%");
  const header = page.getByRole("group", { name: "Light" }).locator("img").first();
  await expect(header).toHaveCSS("object-position", "50% 1%");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("The position is as it was.")).toBeVisible();
  expect(await position()).toBe("center");
  await page.setViewportSize(phone);
  await fits(page);
});

test("one's own avatar is uploaded, removed and restored; an image is forgotten for good", async ({ page, request }) => {
  await visit(page, "/admin/");
  const me = (await (await page.request.get("/api/auth/me")).json()) as { id: string };
  const served = async () => (await request.get(`/api/images/users/${me.id}/avatar`)).status();
  await page.goto(`/admin/users/${me.id}`);
  await expect(page.getByRole("region", { name: "Avatar" })).toContainText("No image");
  const dialog = await upload(page, { name: "me.jpg", buffer: await picture(page, 200, 200) });
  await dialog.getByRole("button", { name: "Upload", exact: true }).click();
  await expect(page.getByText(visible)).toBeVisible();
  expect(await served()).toBe(200);
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("menuitem", { name: /keep the slot empty/ }).click();
  await expect(page.getByText("The slot stays empty until somebody fills it.")).toBeVisible();
  expect(await served()).toBe(404);
  await page.getByRole("button", { name: "Use this one again" }).click();
  await expect(page.getByRole("region", { name: "Avatar" }).getByRole("img")).toBeVisible();
  expect(await served()).toBe(200);
  await page.getByRole("button", { name: "Forget", exact: true }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: "Forget it for good" }).click();
  await expect(page.getByText("The image is forgotten.")).toBeVisible();
  await expect(page.getByText("Nothing was ever in force here.")).toBeVisible();
  expect(await served()).toBe(404);
});
