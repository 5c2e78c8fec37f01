/** What stands in a circle instead of a face: up to two characters, and one of ten colours that stays the same. */

const HAN = /\p{Script=Han}/u;

/** Of a Chinese name the last two characters, of other names the first letters of the first and last word. */
export function takeInitials(name: string, kind: "person" | "app" = "person"): string {
  const words = name.trim().split(/[\s._-]+/);
  const [first] = words[0] ?? "";
  if (first === undefined) return "?";
  if (HAN.test(first)) {
    const letters = [...((kind === "person" ? words.at(-1) : words[0]) ?? "")];
    return (kind === "person" ? letters.slice(-2) : letters.slice(0, 2)).join("");
  }
  const capitals = /^[A-Z]{2,3}(?![a-z])/.exec(name.trim());
  if (capitals) return capitals[0].slice(0, 2);
  const [last = ""] = (words.length > 1 && words.at(-1)) || "";
  return `${first}${last}`.toUpperCase();
}

export const COLOURS = 10;

/** Which of the colours an id has: neighbours have different ones. */
export function chooseColour(id: number): number {
  return Math.abs(id) % COLOURS;
}
