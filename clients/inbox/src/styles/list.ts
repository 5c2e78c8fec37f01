/** The list of conversations, search results and apps. */
import { css } from "lit";

export const listStyles = css`
  :host {
    display: grid;
    min-block-size: 0;
  }
  .scroller {
    overflow-y: auto;
    overscroll-behavior: contain;
    min-block-size: 0;
    padding: 0.25rem 0.5rem 1rem;
    scrollbar-width: thin;
    scrollbar-color: color-mix(in srgb, var(--_dim) 45%, transparent) transparent;
  }
  li {
    content-visibility: auto;
    contain-intrinsic-block-size: auto 4.375rem;
  }
  .conversation {
    inline-size: 100%;
    display: grid;
    grid-template: "avatar name time time" auto "avatar last last badge" auto / auto 1fr auto auto;
    gap: 0.05rem 0.75rem;
    align-items: center;
    padding: 0.6rem 0.65rem;
    border-radius: 14px;
    outline-offset: -2px;
    transition: background-color 0.1s;
  }
  .conversation:hover {
    background: var(--_hover);
  }
  .conversation[aria-current] {
    background: var(--_chosen);
  }
  .avatar {
    grid-area: avatar;
  }
  .name {
    grid-area: name;
    font-weight: 600;
    min-inline-size: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  time {
    grid-area: time;
    color: var(--_dim);
    font-size: 0.76rem;
    font-variant-numeric: tabular-nums;
  }
  .unread time {
    color: var(--_accent);
    font-weight: 600;
  }
  .last {
    grid-area: last;
    color: var(--_dim);
    font-size: 0.875rem;
    min-inline-size: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .unread .last {
    color: var(--_text);
  }
  .draft {
    color: var(--_bad);
    font-weight: 500;
  }
  .badge {
    grid-area: badge;
    min-inline-size: 1.35rem;
    padding-inline: 0.4rem;
    border-radius: 999px;
    background: var(--_accent);
    color: var(--_on-accent);
    font-size: 0.75rem;
    font-weight: 650;
    line-height: 1.35rem;
    text-align: center;
    justify-self: end;
    font-variant-numeric: tabular-nums;
  }
  /* Text in another script keeps its own direction, and its place. */
  .name,
  .last {
    text-align: -webkit-match-parent;
    text-align: match-parent;
  }
  h2 {
    font-size: 0.8rem;
    font-weight: 600;
    color: var(--_dim);
    padding: 0.7rem 0.65rem 0.3rem;
  }
  .more {
    display: flex;
    flex-wrap: wrap;
    gap: 0.6rem;
    align-items: center;
    justify-content: center;
    padding: 1rem;
    color: var(--_dim);
  }
  .more[role="alert"] {
    color: var(--_bad);
  }
  .bones {
    padding: 0.25rem 1.15rem;
  }
  .bones > div {
    display: grid;
    grid-template: "circle one" auto "circle two" auto / 2.875rem 1fr;
    gap: 0.45rem 0.75rem;
    align-content: center;
    block-size: 4.375rem;
  }
  .circle {
    grid-area: circle;
    block-size: 2.875rem;
    border-radius: 50%;
  }
  .one {
    block-size: 0.8rem;
    inline-size: 45%;
  }
  .two {
    block-size: 0.7rem;
    inline-size: 80%;
  }
  .bones > :nth-child(even) .two {
    inline-size: 60%;
  }

  /* apps */
  .apps {
    display: grid;
    gap: 0.15rem;
  }
  .apps .conversation {
    grid-template: "avatar name open" auto "avatar last open" auto / auto 1fr auto;
  }
  .apps .only {
    grid-template: "avatar name open" auto / auto 1fr auto;
  }
  .open {
    grid-area: open;
    color: var(--_dim);
    display: grid;
  }
  .open .icon {
    inline-size: 1.1rem;
    block-size: 1.1rem;
  }
`;
