import { expect, test } from "vitest";

import { changeAddress, conditions, readFilter, shownSlot } from "./filters";

const read = (address: string) => readFilter("artist", new URLSearchParams(address));

test("a filter is read from the address", () => {
  expect(read("query=+abba+&missing=banner&slot=logo&source=external&lowResolution=true&locked=true")).toEqual({
    query: "abba",
    missing: "banner",
    source: "external",
    lowResolution: true,
    locked: true,
    slot: "logo",
  });
  expect(read("")).toEqual({});
});

test("what makes no sense in the address is left out", () => {
  expect(read("missing=cover&source=elsewhere&locked=yes&lowResolution=no&query=++")).toEqual({});
  expect(read("slot=logo")).toEqual({}); // nothing is said of it
  expect(read("slot=profile&locked=true")).toEqual({ locked: true }); // which goes without saying
  expect(readFilter("album", new URLSearchParams("missing=cover&slot=logo&locked=true"))).toEqual({ missing: "cover", locked: true });
});

test("a change leaves the rest of the address alone", () => {
  const before = new URLSearchParams("query=abba&slot=logo&locked=true&sort=name");
  expect(changeAddress("artist", before, { missing: "banner" }).toString()).toBe("query=abba&slot=logo&locked=true&sort=name&missing=banner");
  expect(changeAddress("artist", before, { query: "" }).toString()).toBe("slot=logo&locked=true&sort=name");
  expect(changeAddress("artist", before, { locked: undefined }).toString()).toBe("query=abba&sort=name");
  expect(changeAddress("artist", before, { locked: undefined, lowResolution: true }).toString()).toBe(
    "query=abba&slot=logo&sort=name&lowResolution=true",
  );
});

test("each condition can be taken away by itself", () => {
  expect(conditions(read("missing=logo&locked=true&query=a"))).toEqual(["missing", "locked"]);
});

test("the image that stands for a subject is the one that the filter is about", () => {
  expect(shownSlot("artist", {})).toBe("profile");
  expect(shownSlot("artist", { locked: true, slot: "banner" })).toBe("banner");
  expect(shownSlot("artist", { missing: "logo" })).toBe("profile");
  expect(shownSlot("album", {})).toBe("cover");
});

test("the order stands in the address, if the kind has it", () => {
  expect(read("sort=-added")).toEqual({ sort: "-added" });
  expect(read("sort=year")).toEqual({});
  expect(readFilter("album", new URLSearchParams("sort=-year"))).toEqual({ sort: "-year" });
  expect(conditions(read("sort=name"))).toEqual([]);
});
