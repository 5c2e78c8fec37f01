/**
 * Which rows of a history are in the page, and where the scroll stands: the row that a person looks at stays where it is,
 * whatever is added above it, measured anew, or taken away.
 *
 * Only the rows around the screen are in the page; two empty blocks stand for the rest. The place is kept as "this row, so
 * many pixels below the upper edge" or "at the end", and the scroll position is made from it after every change.
 */
import { chooseRange, findRow, Heights } from "./heights";

/** So many pixels beyond the screen, up and down, are in the page too. */
const BEYOND = 700;
/** This close to the end the newest message stays in sight when another comes. */
const NEAR_END = 16;
/** A first guess of heights may choose too few rows: then more are drawn, so many times at most. */
const MOST_ROUNDS = 6;

export type Anchor = { key: string; offset: number } | "end";

export interface Parts {
  scroller: HTMLElement;
  /** What stands above the rows. */
  lead: HTMLElement;
  above: HTMLElement;
  below: HTMLElement;
  rows: HTMLElement;
}

export class ScrollPlace {
  anchor: Anchor = "end";
  first = 0;
  end = 0;
  readonly #heights = new Heights();
  #rows: readonly { key: string }[] = [];
  #index = new Map<string, number>();
  #offsets: Float64Array = new Float64Array(1);
  #anchorIndex = 0;
  #viewport = 800;
  #width = 0;
  #rounds = 0;
  /** The scroll position that was set here: an event that finds it comes from here and not from the person. */
  #set = -1;
  #left = 0;

  /** Whether the newest message is on the screen. */
  get isAtEnd(): boolean {
    return this.#left <= NEAR_END;
  }

  /** Take the rows as they are now, before drawing, and choose which of them to draw. */
  take(rows: readonly { key: string }[]): void {
    if (rows !== this.#rows) {
      this.#rows = rows;
      this.#index = new Map(rows.map((row, index) => [row.key, index]));
      this.#offsets = this.#heights.offsetsOf(rows);
    }
    this.#keepAnchor();
    const top = this.#wantedTop();
    [this.first, this.end] = chooseRange(this.#offsets, top - BEYOND, top + this.#viewport + BEYOND);
  }

  /** Look at another row, from the next drawing on; it may be one of the rows that are taken then. */
  lookAt(anchor: Anchor): void {
    this.anchor = anchor;
  }

  /** After drawing: measure, and put the scroll where it belongs. Tells whether other rows have to be drawn. */
  settle(parts: Parts): boolean {
    this.#viewport = parts.scroller.clientHeight;
    this.#noteWidth(parts.scroller.clientWidth);
    if (this.#measure(parts.rows)) this.#offsets = this.#heights.offsetsOf(this.#rows);
    setHeight(parts.above, this.#offsets[this.first] ?? 0);
    setHeight(parts.below, this.#total - (this.#offsets[this.end] ?? 0));
    this.#scroll(parts);
    return this.#needsOthers(parts);
  }

  /** Whether the scroll stands where it was put here, and not where the person put it. */
  isOwn({ scroller }: Parts): boolean {
    return Math.abs(scroller.scrollTop - this.#set) < 1;
  }

  /** The scroll changed. If the person did it, remember what they look at. Tells whether other rows have to be drawn. */
  scrolled(parts: Parts): boolean {
    const { scroller } = parts;
    this.#rounds = 0;
    this.#left = measureLeft(scroller);
    if (this.isOwn(parts)) return this.#needsOthers(parts);
    this.#set = -1;
    const top = scroller.scrollTop - parts.lead.offsetHeight;
    const row = this.#rows[findRow(this.#offsets, top)];
    if (this.isAtEnd) this.anchor = "end";
    else if (row) this.lookAt({ key: row.key, offset: this.#offsetOf(row.key) - top });
    return this.#needsOthers(parts);
  }

  /** Which row is uppermost on the screen. */
  get topIndex(): number {
    return findRow(this.#offsets, this.#wantedTop());
  }

  /** Whether everything from that row on fits on the screen. */
  fitsFrom(key: string): boolean {
    return this.#total - this.#offsetOf(key) <= this.#viewport;
  }

  get #total(): number {
    return this.#offsets[this.#rows.length] ?? 0;
  }

  #offsetOf(key: string): number {
    return this.#offsets[this.#index.get(key) ?? 0] ?? 0;
  }

  /** Where the upper edge of the screen should be, counted from the first row. */
  #wantedTop(): number {
    if (this.anchor === "end") return this.#total - this.#viewport;
    return this.#offsetOf(this.anchor.key) - this.anchor.offset;
  }

  /** If the row that was looked at is gone (it was recalled), its neighbour takes its place. */
  #keepAnchor(): void {
    if (this.anchor === "end") return;
    const index = this.#index.get(this.anchor.key);
    if (index !== undefined) {
      this.#anchorIndex = index;
      return;
    }
    const neighbour = this.#rows[Math.min(this.#anchorIndex, this.#rows.length - 1)];
    this.anchor = neighbour ? { key: neighbour.key, offset: this.anchor.offset } : "end";
  }

  #noteWidth(width: number): void {
    if (width !== this.#width && this.#width !== 0) this.#heights.clear();
    this.#width = width;
  }

  #measure(rows: HTMLElement): boolean {
    let isOther = false;
    for (const row of rows.children) {
      const key = (row as HTMLElement).dataset["key"];
      if (key !== undefined && this.#heights.note(key, row.getBoundingClientRect().height)) isOther = true;
    }
    return isOther;
  }

  #scroll({ scroller, lead }: Parts): void {
    const end = scroller.scrollHeight - scroller.clientHeight;
    const wanted = this.anchor === "end" ? end : Math.min(end, this.#wantedTop() + lead.offsetHeight);
    if (Math.abs(wanted - scroller.scrollTop) > 0.5) {
      scroller.scrollTop = wanted;
      this.#set = scroller.scrollTop;
    }
    this.#left = measureLeft(scroller);
  }

  #needsOthers({ scroller, lead }: Parts): boolean {
    const top = scroller.scrollTop - lead.offsetHeight;
    const [first, end] = chooseRange(this.#offsets, top - BEYOND / 2, top + scroller.clientHeight + BEYOND / 2);
    const covers = this.first <= first && this.end >= end;
    if (covers) this.#rounds = 0;
    return !covers && this.#rounds++ < MOST_ROUNDS;
  }
}

function measureLeft(scroller: HTMLElement): number {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
}

/** By the object model and not as an attribute: a strict policy allows no style attributes. */
function setHeight(element: HTMLElement, height: number): void {
  const text = `${Math.max(0, height)}px`;
  if (element.style.height !== text) element.style.height = text;
}
