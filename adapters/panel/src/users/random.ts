/** A new ID (UUID version 4). Pages that came without https have no crypto.randomUUID. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

// 32 signs, which divide 256, so that each is as likely; none looks like another.
const signs = "abcdefghijkmnpqrstuvwxyz23456789";

/** A password of 80 random bits, in groups that can be read to somebody. */
export function newPassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const text = Array.from(bytes, (byte) => signs[byte % signs.length]).join("");
  return (text.match(/.{4}/g) ?? []).join("-");
}
