/** Arrow keys in a list: one entry is reached by Tab, the others by arrows, Home and End. */

/** For `@keydown` of an element around the entries; they are what has `data-id`, in every list of the same root. */
export function moveByKey(event: KeyboardEvent): void {
  const list = event.currentTarget as HTMLElement;
  const root = list.getRootNode() as ShadowRoot | Document;
  const entries = [...root.querySelectorAll<HTMLElement>("[data-id]")];
  const now = entries.indexOf((event.target as HTMLElement).closest<HTMLElement>("[data-id]") ?? list);
  const next = entries[chooseNext(event.key, now, entries.length)];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function chooseNext(key: string, now: number, length: number): number {
  switch (key) {
    case "ArrowDown":
      return Math.min(length - 1, now + 1);
    case "ArrowUp":
      return Math.max(0, now - 1);
    case "Home":
      return 0;
    case "End":
      return length - 1;
    default:
      return -1;
  }
}
