/** One conversation, and the small windows over it. */
import { css } from "lit";

export const chatStyles = css`
  :host {
    display: grid;
    min-block-size: 0;
    min-inline-size: 0;
    container-type: inline-size;
  }
  .chat {
    position: relative;
    display: grid;
    grid-template-rows: auto minmax(0, 1fr) auto;
    min-block-size: 0;
    min-inline-size: 0;
  }
  header {
    display: flex;
    align-items: center;
    gap: 0.75rem;
    min-block-size: 3.75rem;
    padding: 0.5rem clamp(0.5rem, 2.5cqi, 1.5rem);
    background: var(--_ground);
    border-block-end: 1px solid var(--_line);
  }
  .elsewhere {
    min-inline-size: 1.35rem;
    padding-inline: 0.4rem;
    margin-inline: -1.1rem -0.1rem;
    border-radius: 999px;
    background: var(--_accent);
    color: var(--_on-accent);
    font-size: 0.75rem;
    font-weight: 650;
    line-height: 1.35rem;
    text-align: center;
  }
  .who {
    flex: 1;
    min-inline-size: 0;
    display: grid;
  }
  .title {
    font-size: 1.0625rem;
    font-weight: 650;
    line-height: 1.3;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    /* A name in another script keeps its own direction, and its place. */
    text-align: -webkit-match-parent;
    text-align: match-parent;
  }
  .who span {
    color: var(--_dim);
    font-size: 0.8rem;
    line-height: 1.3;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  header .icon {
    inline-size: 1.25rem;
    block-size: 1.25rem;
  }
  header .button .icon {
    inline-size: 1.05rem;
    block-size: 1.05rem;
  }
  .silent {
    background: var(--_canvas);
    color: var(--_dim);
    text-align: center;
    font-size: 0.8125rem;
    padding: 0.25rem 1rem max(0.9rem, env(safe-area-inset-bottom));
  }
  .drop {
    position: absolute;
    inset: 0.75rem;
    border-radius: 22px;
    border: 2px dashed var(--_accent);
    background: color-mix(in srgb, var(--_ground) 90%, var(--_accent));
    display: grid;
    place-items: center;
    font-weight: 600;
    color: var(--_accent);
    pointer-events: none;
    text-align: center;
    z-index: 2;
  }
  .drop span {
    display: grid;
    justify-items: center;
    gap: 0.6rem;
    padding: 1rem;
  }
  .drop .icon {
    inline-size: 2.2rem;
    block-size: 2.2rem;
  }
`;

export const windowStyles = css`
  :host {
    display: contents;
  }
  dialog {
    border: 0;
    padding: 0;
    color: var(--_text);
    background: var(--_ground);
    border-radius: 20px;
    box-shadow: var(--_shadow-high);
  }
  dialog::backdrop {
    background: rgb(10 14 24 / 55%);
  }
  dialog[open] {
    animation: open 0.16s ease-out;
  }
  @keyframes open {
    from {
      opacity: 0;
      transform: scale(0.97);
    }
  }
`;
