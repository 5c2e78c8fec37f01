/** The two panes, or the one. */
import { css } from "lit";

export const inboxStyles = css`
  :host {
    display: block;
    block-size: 100%;
    min-block-size: 0;
    background: var(--_ground);
    overflow: hidden;
  }
  :host([hidden]) {
    display: none;
  }
  .inbox {
    position: relative;
    display: grid;
    block-size: 100%;
    min-block-size: 0;
    grid-template: minmax(0, 1fr) / minmax(0, 1fr);
  }
  .wide {
    grid-template-columns: clamp(17.5rem, 30%, 23.5rem) minmax(0, 1fr);
  }
  .side {
    display: grid;
    grid-template-rows: auto auto auto minmax(0, 1fr) auto;
    min-block-size: 0;
    background: var(--_side);
    border-inline-end: 1px solid var(--_line);
  }
  .narrow .side {
    border: 0;
  }
  .side header {
    display: flex;
    align-items: center;
    justify-content: space-between;
    min-block-size: 3.5rem;
    padding: max(0.5rem, env(safe-area-inset-top)) 0.75rem 0 1.15rem;
  }
  h1 {
    font-size: 1.3rem;
    font-weight: 700;
    letter-spacing: -0.01em;
  }
  .search {
    position: relative;
    display: grid;
    align-items: center;
    padding: 0.35rem 0.9rem 0.6rem;
  }
  .search > .icon {
    grid-area: 1 / 1;
    inline-size: 1.1rem;
    block-size: 1.1rem;
    margin-inline-start: 0.75rem;
    color: var(--_dim);
    pointer-events: none;
    z-index: 1;
  }
  .search input {
    grid-area: 1 / 1;
    inline-size: 100%;
    min-block-size: 2.375rem;
    border: 1px solid transparent;
    border-radius: 12px;
    background: color-mix(in srgb, var(--_text) 6%, var(--_side));
    padding: 0.3rem 2.4rem;
    appearance: none;
    text-overflow: ellipsis;
    outline-offset: 0;
  }
  .search input:focus {
    background: var(--_ground);
    border-color: var(--_accent);
    outline: 1px solid var(--_accent);
  }
  .search input::placeholder {
    color: var(--_dim);
    opacity: 1;
  }
  .search input::-webkit-search-cancel-button {
    display: none;
  }
  .search .round {
    grid-area: 1 / 1;
    justify-self: end;
    inline-size: 2.1rem;
    block-size: 2.1rem;
  }
  .search .round .icon {
    inline-size: 1rem;
    block-size: 1rem;
  }
  .tabs {
    display: grid;
    grid-auto-flow: column;
    grid-auto-columns: 1fr;
    border-block-start: 1px solid var(--_line);
    padding: 0.3rem 0.5rem max(0.35rem, env(safe-area-inset-bottom));
  }
  .tabs button {
    display: grid;
    justify-items: center;
    gap: 0.1rem;
    padding: 0.3rem;
    border-radius: 12px;
    color: var(--_dim);
    font-size: 0.72rem;
    font-weight: 550;
    outline-offset: -2px;
  }
  .tabs button:hover {
    color: var(--_text);
  }
  .tabs [aria-pressed="true"][aria-pressed] {
    color: var(--_accent);
  }
  .tabs span {
    position: relative;
  }
  .tabs b {
    position: absolute;
    inset-block-start: -0.3rem;
    inset-inline-start: 0.95rem;
    min-inline-size: 1.1rem;
    padding-inline: 0.3rem;
    border-radius: 999px;
    background: var(--_accent);
    color: var(--_on-accent);
    font-size: 0.66rem;
    font-weight: 650;
    line-height: 1.1rem;
    text-align: center;
    box-shadow: 0 0 0 2px var(--_side);
  }
  .main {
    display: grid;
    grid-template: auto minmax(0, 1fr) / minmax(0, 1fr);
    min-block-size: 0;
    min-inline-size: 0;
  }
  .main > :last-child {
    grid-row: 2;
  }
  .none {
    display: grid;
    background: var(--_canvas);
  }
  .note {
    position: absolute;
    inset-block-end: 5.5rem;
    inset-inline: 1rem;
    display: grid;
    justify-items: center;
    pointer-events: none;
    z-index: 5;
  }
  .note span {
    max-inline-size: 32rem;
    background: var(--_text);
    color: var(--_ground);
    border-radius: 14px;
    padding: 0.6rem 1.1rem;
    font-size: 0.875rem;
    box-shadow: var(--_shadow-high);
    overflow-wrap: anywhere;
  }
  .note span:empty {
    display: none;
  }
`;
